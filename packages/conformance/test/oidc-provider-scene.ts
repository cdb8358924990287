// oidc-provider, a foreign server of good repute, set up as a careful operator would for a token
// service: what our suite says of somebody else's work.

import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import { exportJWK, type JWK } from 'jose'
import Provider, {
  type ClientMetadata,
  type Configuration,
  errors,
  type JWK as ProviderJwk,
} from 'oidc-provider'
import type { Test } from 'tap'
import type { Credentials } from '../src/credentials.ts'
import { makeFreshKeys } from '../src/fresh-keys.ts'
import { registerPasswordGrant } from './oidc-provider-password.ts'
import { certifyClient, TLS_OPTIONS } from './tested-certificates.ts'

export type TokenFormat = 'jwt' | 'opaque'

export interface OidcProviderScene {
  readonly issuer: string
  readonly credentials: Credentials
}

const RESOURCE = 'https://api.example.test'
const SCOPES = 'notes:read notes:write'
const ALL_GRANTS = ['password', 'refresh_token', 'client_credentials']
const LOGIN_GRANTS = ['password', 'refresh_token']
const TTL_SECONDS = 600
const SKEW_SECONDS = 15
const IDLE_SECONDS = 14 * 86_400
const ABSOLUTE_SECONDS = 90 * 86_400
const BRIEF = { idleSeconds: 4, absoluteSeconds: 8 }

const PASSWORD = 'pässwörter of more than seventy-two bytes, so that a truncated one is another one'
const USERS = [
  { id: 'account-1', username: 'tested-user', password: PASSWORD, mayLogIn: true },
  { id: 'account-2', username: 'disabled-user', password: PASSWORD, mayLogIn: false },
]
const CERTIFIED = certifyClient('tested-certificate')
const SECRETS = {
  service: 'a-secret-of-the-tested-service',
  other: 'a-secret-of-the-other-service',
  // Of the characters that a secret may have (RFC 6749 App. A.2).
  special: 'a+secret with %41:colons & more',
}

export async function startOidcProvider(t: Test, format: TokenFormat): Promise<OidcProviderScene> {
  const [server, tlsServer] = [createServer(), createTlsServer(TLS_OPTIONS)]
  const issuer = `http://127.0.0.1:${await listen(t, server)}`
  const mtlsOrigin = `https://127.0.0.1:${await listen(t, tlsServer)}`
  const assertion = await makeKey('ES256', 'assertions')
  const signing = [await makeKey('RS256', 'signing-1'), await makeKey('ES256', 'signing-2')]
  const provider = new Provider(issuer, {
    ...makeConfiguration(format),
    discovery: { mtls_endpoint_aliases: { token_endpoint: `${mtlsOrigin}/token` } },
    clients: listClients(assertion.publicJwk),
    jwks: { keys: signing.map(({ privateJwk }) => privateJwk as ProviderJwk) },
  })
  await registerPasswordGrant(provider, async (username, password) => {
    const user = USERS.find((one) => one.username === username)
    const isRight = isSame(password, user?.password ?? '')
    return user?.mayLogIn && isRight ? user : undefined
  })
  for (const each of [server, tlsServer]) each.on('request', provider.callback())
  return { issuer, credentials: listCredentials(assertion.privateJwk) }
}

async function listen(
  t: Test,
  server: Pick<Server, 'listen' | 'address' | 'close' | 'closeAllConnections'>,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

async function makeKey(alg: string, kid: string): Promise<{ privateJwk: JWK; publicJwk: JWK }> {
  const { privateKey, publicKey } = await makeFreshKeys(alg)
  const about = { alg, kid, use: 'sig' }
  return {
    privateJwk: { ...(await exportJWK(privateKey)), ...about },
    publicJwk: { ...(await exportJWK(publicKey)), ...about },
  }
}

function makeConfiguration(format: TokenFormat): Configuration {
  return {
    findAccount: (_, id) => {
      const user = USERS.find((one) => one.id === id && one.mayLogIn)
      return user ? { accountId: id, claims: () => ({ sub: id }) } : undefined
    },
    assertJwtClientAuthClaimsAndHeader(_, { iat, exp }) {
      const now = Math.floor(Date.now() / 1000)
      const isIssued = typeof iat !== 'number' || iat <= now + SKEW_SECONDS
      const isShort = typeof exp === 'number' && exp <= now + TTL_SECONDS
      if (!isIssued || !isShort) throw new errors.InvalidClientAuth('times of the assertion')
    },
    clientAuthMethods: [
      ...(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const),
      'tls_client_auth',
    ],
    cookies: { keys: ['one-key-for-cookies-that-nobody-gets'] },
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    scopes: SCOPES.split(' '),
    responseTypes: [],
    ttl: {
      AccessToken: TTL_SECONDS,
      ClientCredentials: TTL_SECONDS,
      Grant: ABSOLUTE_SECONDS,
      RefreshToken: (_, token, client) => {
        const isBrief = client.clientId === 'tested-expiring'
        const idle = isBrief ? BRIEF.idleSeconds : IDLE_SECONDS
        const absolute = isBrief ? BRIEF.absoluteSeconds : ABSOLUTE_SECONDS
        const now = Math.floor(Date.now() / 1000)
        return Math.max(1, Math.min(idle, (token.iiat ?? now) + absolute - now))
      },
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        getCertificate: ({ socket }) =>
          socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined,
        certificateAuthorized: ({ socket }) => socket instanceof TLSSocket && socket.authorized,
        certificateSubjectMatches: ({ socket }, property, expected) =>
          property === 'tls_client_auth_subject_dn' &&
          socket instanceof TLSSocket &&
          socket.getPeerX509Certificate()?.subject === expected,
      },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      introspection: {
        enabled: true,
        // The client of the token, and for access tokens the resource that they are for.
        allowedPolicy(_, client, token) {
          if (client.clientAuthMethod === 'none') return false
          if (token.clientId === client.clientId) return true
          return client.clientId === 'tested-service' && token.kind !== 'RefreshToken'
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_, __, oneOf) => oneOf?.[0] ?? RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => {
          if (resource !== RESOURCE) throw new errors.InvalidTarget()
          return { scope: SCOPES, accessTokenTTL: TTL_SECONDS, accessTokenFormat: format }
        },
      },
    },
  }
}

function listClients(assertionJwk: JWK): ClientMetadata[] {
  const make = (client_id: string, metadata: Partial<ClientMetadata>): ClientMetadata => ({
    client_id,
    grant_types: ALL_GRANTS,
    redirect_uris: [],
    response_types: [],
    scope: SCOPES,
    introspection_signed_response_alg: 'RS256',
    ...metadata,
  })
  const none = { token_endpoint_auth_method: 'none', grant_types: LOGIN_GRANTS } as const
  return [
    make('tested-service', { client_secret: SECRETS.service }),
    make('tested-other', {
      client_secret: SECRETS.other,
      grant_types: ['refresh_token', 'client_credentials'],
    }),
    make('special-client', { client_secret: SECRETS.special }),
    make('tested-app', none),
    make('tested-expiring', none),
    make('tested-bound', { ...none, tls_client_certificate_bound_access_tokens: true }),
    make(CERTIFIED.id, {
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: `CN=${CERTIFIED.id}`,
      tls_client_certificate_bound_access_tokens: true,
    }),
    make('tested-signer', {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [assertionJwk as ProviderJwk] },
    }),
  ]
}

function listCredentials(privateJwk: JWK): Credentials {
  const [user, disabledUser] = USERS.map(({ username, password }) => ({ username, password }))
  return {
    confidentialClient: { id: 'tested-service', secret: SECRETS.service },
    otherClient: { id: 'tested-other', secret: SECRETS.other },
    specialClient: { id: 'special-client', secret: SECRETS.special },
    publicClient: { id: 'tested-app' },
    expiringClient: { id: 'tested-expiring', ...BRIEF },
    assertionClient: { id: 'tested-signer', privateJwk, alg: 'ES256' },
    certificateClient: CERTIFIED,
    boundClient: { id: 'tested-bound' },
    ...(user && disabledUser ? { user, disabledUser } : {}),
    scope: 'notes:read',
    wideScope: SCOPES,
    resource: RESOURCE,
  }
}
