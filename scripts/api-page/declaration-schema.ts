// The JSON Schema of the files that `lineage apply` takes, made of the bodies of the contract, so that a
// rule about a member stands there alone. deploy/lineage.schema.json is the copy for editors.

import type { Contract } from './contract.ts'

type Schema = Readonly<Record<string, unknown>>
type Members = Readonly<Record<string, Schema>>

interface ObjectSchema extends Schema {
  readonly required: readonly string[]
  readonly properties: Members
}

export const API_VERSION = 'lineage/v1'

const LABELS = {
  type: 'object',
  description:
    'Words of yours, by which `export` chooses and to which `--prune` is limited. A label that is taken out of the file is taken away.',
  maxProperties: 16,
  propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$' },
  additionalProperties: { type: 'string', pattern: '^[A-Za-z0-9._-]{0,63}$' },
}

const SECRET_FROM = {
  description:
    'Where the secret is: in a file, whose path is relative to this one, or in a variable of the environment. Left out, the secrets stay as they are.',
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  properties: {
    file: { type: 'string', minLength: 1, maxLength: 4096 },
    env: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' },
  },
}

/** A JSON Schema of draft 2020-12, whose `$defs` has one of each kind by its name. */
export function makeDeclarationSchema(contract: Contract): Schema {
  const schemas = contract.components?.schemas as unknown as Record<string, ObjectSchema>
  const body = (name: string): ObjectSchema => {
    const found = schemas[name]
    if (!found) throw new Error(`the contract has no ${name}`)
    return found
  }
  const client = body('NewClient')
  const issuer = body('NewTrustedIssuer')
  const user = body('NewUser')
  const { status } = body('UserPatch').properties
  const { id: clientId } = client.properties
  // One that the service has made has an id of another form.
  const clientName = {
    type: 'string',
    description: 'The id of the client.',
    pattern: `${clientId?.pattern}|^c_[A-Za-z0-9_-]{22}$`,
  }
  const webhookName = {
    type: 'string',
    description:
      'Chosen by you; its id follows from it. One that was made in another way is called by its id.',
    pattern: `${clientId?.pattern}|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
  }
  const users = without({ ...user, oneOf: undefined }, 'username', 'password', 'passwordHash')
  const kinds = {
    Client: resource('Client', clientName, without(client, 'id'), true),
    TrustedIssuer: resource('TrustedIssuer', issuer.properties.id, without(issuer, 'id'), false),
    Webhook: resource('Webhook', webhookName, body('NewWebhook'), true),
    User: resource(
      'User',
      { ...body('Username'), description: 'The username.' },
      {
        ...users,
        description:
          'Without a password: nobody can log in by one until it is set. What is left out stays as it is.',
        properties: { ...users.properties, status: status ?? {} },
      },
      false,
    ),
  }
  const one = { oneOf: Object.keys(kinds).map((kind) => ({ $ref: `#/$defs/${kind}` })) }
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What `lineage apply` brings about',
    oneOf: [...one.oneOf, { type: 'array', items: one }],
  }
  const shared = collect(kinds, schemas)
  return rename({ ...schema, $defs: { ...kinds, ...shared } }, Object.keys(kinds)) as Schema
}

function resource(
  kind: string,
  name: Schema | undefined,
  spec: ObjectSchema,
  hasSecret: boolean,
): ObjectSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { const: API_VERSION },
      kind: { const: kind },
      metadata: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: { name: name ?? {}, labels: LABELS },
      },
      spec,
      ...(hasSecret && { secretFrom: SECRET_FROM }),
    },
  }
}

function without(
  { properties, required, ...rest }: ObjectSchema,
  ...names: string[]
): ObjectSchema {
  const isKept = (name: string) => !names.includes(name)
  return {
    ...rest,
    required: required.filter(isKept),
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => isKept(name))),
  }
}

const PREFIX = '#/components/schemas/'

/** What the kinds refer to, whatever they refer to included. */
function collect(node: unknown, schemas: Members, found: Record<string, Schema> = {}) {
  JSON.stringify(node, (key, value: unknown) => {
    const isOurs = key === '$ref' && typeof value === 'string' && value.startsWith(PREFIX)
    const name = isOurs ? value.slice(PREFIX.length) : ''
    const schema = schemas[name]
    if (schema && !found[name]) {
      found[name] = schema
      collect(schema, schemas, found)
    }
    return value
  })
  return found
}

/** References into the contract lead to what stands here. */
function rename(node: unknown, kinds: readonly string[]): unknown {
  const text = JSON.stringify(node, (key, value: unknown) => {
    if (key !== '$ref' || typeof value !== 'string' || !value.startsWith(PREFIX)) return value
    const name = value.slice(PREFIX.length)
    if (kinds.includes(name)) throw new Error(`the contract's ${name} has the name of a kind`)
    return `#/$defs/${name}`
  })
  return JSON.parse(text)
}
