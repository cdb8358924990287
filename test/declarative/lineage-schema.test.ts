// The JSON Schema of the files: the copy for editors is the present one, it takes what the API takes, and
// whatever a body of the API can say can be declared.

import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { readResourceSchema } from '../../src/declarative/resource-schema.ts'
import { readContract } from '../support/contract.ts'

interface ObjectSchema {
  readonly properties: Readonly<Record<string, unknown>>
  readonly required?: readonly string[]
}

const SCHEMA = JSON.parse(readResourceSchema()) as { $defs: Record<string, ObjectSchema> }
const BODIES = readContract().components?.schemas as unknown as Record<string, ObjectSchema>

const ajv = new Ajv2020({ strict: false, allErrors: true })
ajvFormats.default(ajv)
const validate = ajv.compile(SCHEMA)

/** The members of each body that name the resource, or that never stand in a file. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  Client: ['id'],
  TrustedIssuer: ['id'],
  Webhook: [],
  User: ['username', 'password', 'passwordHash'],
}
const BODIES_OF: Readonly<Record<string, readonly string[]>> = {
  Client: ['NewClient', 'ClientPatch'],
  TrustedIssuer: ['NewTrustedIssuer', 'TrustedIssuerPatch'],
  Webhook: ['NewWebhook', 'WebhookPatch'],
  User: ['NewUser', 'UserPatch'],
}

function specOf(kind: string): ObjectSchema {
  return SCHEMA.$defs[kind]?.properties.spec as ObjectSchema
}

/** The references of the contract lead to `$defs` here. */
function renamed(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/'))
}

test('the copy for editors is the present schema', async (t) => {
  const copy = readFileSync('deploy/lineage.schema.json', 'utf8')
  t.equal(copy, readResourceSchema(), 'else: cp src/generated/api/lineage.schema.json deploy/')
})

test('whatever a body of the API can say can be declared, by the same rule', async (t) => {
  for (const [kind, names] of Object.entries(BODIES_OF)) {
    const bodies = names.map((name) => BODIES[name]?.properties ?? {})
    const members = new Set(bodies.flatMap((properties) => Object.keys(properties)))
    for (const name of ELSEWHERE[kind] ?? []) t.ok(members.delete(name), `${kind} has no ${name}`)
    t.strictSame(Object.keys(specOf(kind).properties).sort(), [...members].sort(), kind)
    for (const name of members) {
      const rule = bodies.find((properties) => name in properties)?.[name]
      t.strictSame(specOf(kind).properties[name], renamed(rule), `${kind} ${name}`)
    }
    const required = (BODIES[names[0] ?? '']?.required ?? []).filter((name) => members.has(name))
    t.strictSame(specOf(kind).required, required, `${kind} needs what the body needs`)
  }
  t.ok(Object.keys(specOf('Client').properties).length > 25, 'the members were found')
})

test('the examples of the documents are valid, and what is wrong is not', async (t) => {
  const example = readFileSync('deploy/declarative/lineage.yaml', 'utf8')
  const documents = parseAllDocuments(example)
  const resources = Array.isArray(documents) ? documents.map((one) => one.toJS()) : []
  t.ok(resources.length > 4)
  for (const resource of resources) t.ok(validate(resource), JSON.stringify(validate.errors))
  t.ok(validate(resources), 'a list of them')
  const text = readFileSync('docs/declarative.md', 'utf8')
  const [, block = ''] = /```yaml\n(.*?)```/s.exec(text) ?? []
  t.ok(validate(parse(block)), JSON.stringify(validate.errors))
  const [issuer, , client] = resources
  const wrong = [
    { ...issuer, secretFrom: { env: 'A' } },
    { ...client, secretFrom: 'a secret' },
    { ...client, secretFrom: { env: 'A', file: 'b' } },
    { ...client, kind: 'Server' },
    { ...client, apiVersion: 'lineage/v2' },
    { ...client, metadata: { name: 'Not An Id' } },
    { ...client, metadata: { ...client.metadata, labels: { a: 1 } } },
    { ...client, spec: { ...client.spec, clientSecret: 'x' } },
    { ...client, spec: { ...client.spec, scopes: 'all' } },
  ]
  for (const one of wrong) t.notOk(validate(one), JSON.stringify(one))
})
