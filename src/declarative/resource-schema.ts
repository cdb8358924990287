// The schema of the files, which `npm run generate` makes of the contract, and what is wrong with a value by
// it. Everything of it is loaded when the first file is read.

import { readFileSync } from 'node:fs'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FieldError } from '../runtime/field-error.ts'
import { RESOURCE_KINDS, type ResourceDocument, type ResourceKind } from './declared-resource.ts'
import { escapePointer } from './plain-node.ts'

const SCHEMA = new URL('../generated/api/lineage.schema.json', import.meta.url)

/** What people call a secret, and where it should be. */
const SECRET_MEMBERS: Readonly<Record<string, string>> = {
  password: 'does not stand in a file: users come without one',
  passwordHash: 'does not stand in a file: users come without one',
  secret: 'does not stand in a file: name its place by secretFrom',
  secrets: 'does not stand in a file: name its place by secretFrom',
  clientSecret: 'does not stand in a file: name its place by secretFrom',
  client_secret: 'does not stand in a file: name its place by secretFrom',
}

/** The text of the schema. */
export function readResourceSchema(): string {
  return readFileSync(SCHEMA, 'utf8')
}

let validators: ReadonlyMap<string, ValidateFunction> | undefined

/** Every fault of a value that is meant to be a resource; none where it is one. */
export function findSchemaFaults(value: unknown): FieldError[] {
  const kind = kindOf(value)
  if (kind === undefined) {
    return [{ pointer: '/kind', detail: `must be one of ${RESOURCE_KINDS.join(', ')}` }]
  }
  validators ??= compile()
  const validate = validators.get(kind)
  if (!validate || validate(value)) return []
  return withoutRepeats((validate.errors ?? []).map(toFieldError))
}

/** What `findSchemaFaults` has found nothing wrong with. */
export function asResource(value: unknown): ResourceDocument {
  return value as ResourceDocument
}

function kindOf(value: unknown): ResourceKind | undefined {
  const kind = (value as { readonly kind?: unknown } | null)?.kind
  return RESOURCE_KINDS.find((known) => known === kind)
}

function compile(): ReadonlyMap<string, ValidateFunction> {
  // Formats and what else a member means are checked with the resource.
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  const schema = JSON.parse(readResourceSchema()) as { readonly $defs: object }
  ajv.addSchema(schema, 'lineage')
  return new Map(
    RESOURCE_KINDS.map((kind) => [kind, ajv.compile({ $ref: `lineage#/$defs/${kind}` })]),
  )
}

function toFieldError({ instancePath, keyword, params, message }: ErrorObject): FieldError {
  if (instancePath === '/secretFrom' && keyword !== 'additionalProperties') {
    const detail = 'must be {file: …} or {env: …}: a secret does not stand in a file'
    return { pointer: instancePath, detail }
  }
  if (keyword === 'required') {
    return { pointer: `${instancePath}/${params.missingProperty}`, detail: 'is required' }
  }
  if (keyword === 'additionalProperties')
    return unknownMember(instancePath, params.additionalProperty)
  if (keyword === 'enum') {
    const allowed = [params.allowedValues].flat().filter((one) => one !== null)
    return { pointer: instancePath, detail: `must be one of ${allowed.join(', ')}` }
  }
  if (keyword === 'const') {
    return { pointer: instancePath, detail: `must be ${String(params.allowedValue)}` }
  }
  return { pointer: instancePath, detail: message ?? 'is not valid' }
}

/** Its name may be what was meant to be a value: only a harmless one is said back. */
function unknownMember(pointer: string, name: string): FieldError {
  const advice = Object.hasOwn(SECRET_MEMBERS, name) ? SECRET_MEMBERS[name] : undefined
  const isPlain = /^[A-Za-z_]\w{0,39}$/.test(name)
  if (!isPlain) return { pointer, detail: 'has a member that is not known here' }
  return { pointer: `${pointer}/${escapePointer(name)}`, detail: advice ?? 'is not known here' }
}

/** The alternatives of one place fail together. */
function withoutRepeats(errors: readonly FieldError[]): FieldError[] {
  const seen = new Set<string>()
  return errors.filter(({ pointer, detail }) => {
    const key = `${pointer} ${detail}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
