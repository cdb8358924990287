// The bodies that /admin/clients takes: the JSON types of their members. What the values mean is
// checked by clients/client-draft.ts.

import { AUTH_METHODS } from '../../client-auth/authentication-methods.ts'
import type { ClientInput } from '../../clients/client-draft.ts'
import { EXCHANGE_MODES, TLS_CLIENT_NAMES } from '../../clients/client-settings.ts'
import { GRANT_TYPES } from '../../grants/grants.ts'
import { bodyOf, STRING } from '../server/json-body.ts'

const STRINGS = { type: 'array', items: STRING }
const INTEGER = { type: 'integer' }
const FLAG = { type: 'boolean' }
const oneOf = (values: readonly string[]) => ({ type: 'string', enum: values })

const OBJECT = { type: 'object' }

const FEDERATED_IDENTITIES = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['trustedIssuer', 'subject'],
    properties: {
      trustedIssuer: STRING,
      subject: STRING,
      claims: { type: 'object', additionalProperties: STRING },
    },
  },
}

const EXCHANGE = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['audience', 'scopes', 'subjectClients', 'mode'],
    properties: {
      audience: STRING,
      scopes: STRINGS,
      subjectClients: STRINGS,
      mode: oneOf(EXCHANGE_MODES),
      mayAct: STRING,
    },
  },
}

const TLS_CLIENT_AUTH = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(TLS_CLIENT_NAMES.map((name) => [name, STRING])),
}

const MEMBERS = {
  name: STRING,
  type: oneOf(['confidential', 'public']),
  grantTypes: { type: 'array', items: oneOf(GRANT_TYPES) },
  scopes: STRINGS,
  defaultScopes: STRINGS,
  audiences: STRINGS,
  authMethods: { type: 'array', items: oneOf(AUTH_METHODS) },
  accessTokenTtlSeconds: INTEGER,
  refreshIdleTtlSeconds: INTEGER,
  refreshAbsoluteTtlSeconds: INTEGER,
  refreshGraceSeconds: INTEGER,
  tokenDelivery: oneOf(['body', 'cookie']),
  accessTokenCookie: FLAG,
  allowedOrigins: STRINGS,
  forwardsClientIp: FLAG,
  requireFactor: FLAG,
  jwks: OBJECT,
  jwksUri: STRING,
  allowPrivateNetwork: FLAG,
  assertionAlgs: STRINGS,
  federatedIdentities: FEDERATED_IDENTITIES,
  exchange: EXCHANGE,
  dpopBoundAccessTokens: FLAG,
  tlsClientAuth: TLS_CLIENT_AUTH,
  tlsClientCertificateBoundAccessTokens: FLAG,
  refreshRotation: oneOf(['always', 'never']),
  refreshRotateAfterSeconds: INTEGER,
  signingAlg: STRING,
} satisfies Record<keyof ClientInput, object>

export const NEW_CLIENT_BODY = bodyOf({ id: STRING, ...MEMBERS }, ['name', 'type', 'grantTypes'])

/** RFC 7396: any member may be null, which puts it back to its default. */
export const CLIENT_PATCH_BODY = bodyOf(
  Object.fromEntries(Object.entries(MEMBERS).map(([member, schema]) => [member, orNull(schema)])),
)

function orNull(schema: { type: string; enum?: readonly string[] }) {
  // ajv wants null among the values of a nullable enum.
  return { ...schema, nullable: true, ...(schema.enum && { enum: [...schema.enum, null] }) }
}
