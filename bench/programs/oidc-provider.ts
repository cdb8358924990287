// oidc-provider as a token service of the same kind: models in Redis, a password grant by argon2,
// rotating refresh tokens, ES256 JWT access tokens for the resource that everybody asks for and
// opaque ones for another, since it introspects and revokes no others.

import { verify } from 'argon2'
import { Redis } from 'ioredis'
import { exportJWK, generateKeyPair } from 'jose'
import Provider, { type Configuration, errors, type JWK } from 'oidc-provider'
import { registerPasswordGrant } from '../../packages/conformance/test/oidc-provider-password.ts'
import { hashPassword } from './argon2-cost.ts'
import { listen } from './http-program.ts'
import { openRedisAdapter } from './oidc-redis-adapter.ts'

const RESOURCES = {
  'https://api.bench.test': 'jwt',
  'https://opaque.bench.test': 'opaque',
} as const
const TTL_SECONDS = 3_600
const SCOPE = 'api:read'

const redis = new Redis(process.env.REDIS_URL ?? '')
const stored = await hashPassword()
const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const signingKey = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'bench' }

const configuration: Configuration = {
  adapter: (model) => openRedisAdapter(redis, model),
  clients: [
    {
      client_id: 'app',
      token_endpoint_auth_method: 'none',
      grant_types: ['password', 'refresh_token'],
      redirect_uris: [],
      response_types: [],
      scope: SCOPE,
    },
    {
      client_id: 'service',
      client_secret: process.env.CLIENT_SECRET ?? '',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: SCOPE,
    },
  ],
  clientAuthMethods: ['client_secret_post', 'none'],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  cookies: { keys: ['a-key-for-cookies-that-nobody-gets'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  jwks: { keys: [signingKey as JWK] },
  scopes: [SCOPE],
  responseTypes: [],
  ttl: {
    AccessToken: TTL_SECONDS,
    ClientCredentials: TTL_SECONDS,
    Grant: 90 * 86_400,
    RefreshToken: 14 * 86_400,
  },
  features: {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: false },
    revocation: { enabled: true, allowedPolicy: () => true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'https://api.bench.test',
      useGrantedResource: () => true,
      getResourceServerInfo(_, resource) {
        const accessTokenFormat = RESOURCES[resource as keyof typeof RESOURCES]
        if (!accessTokenFormat) throw new errors.InvalidTarget()
        const jwt = { sign: { alg: 'ES256' } } as const
        return { scope: SCOPE, accessTokenTTL: TTL_SECONDS, accessTokenFormat, jwt }
      },
    },
  },
}

const provider = new Provider(process.env.ISSUER ?? 'http://localhost', configuration)
await registerPasswordGrant(provider, async (username, password) =>
  (await verify(stored, password)) ? { id: username } : undefined,
)
listen(provider.callback())
