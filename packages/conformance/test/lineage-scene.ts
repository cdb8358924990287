// Lineage as somebody has set it up for being tested from outside: a service whose issuer is its own
// URL, and clients and users for everything that the suite can use.

import type { JWK } from 'jose'
import type { Test } from 'tap'
import { buildApp } from '../../../src/app.ts'
import type { ClientInput } from '../../../src/clients/client-draft.ts'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { createLogger } from '../../../src/ops/logger.ts'
import { makeKeyPairSync } from '../../../src/runtime/key-pair.ts'
import type { User } from '../../../src/users/user.ts'
import { parseEmail, parseUsername } from '../../../src/users/user-names.ts'
import { openService, type Service } from '../../../src/wiring/open-service.ts'
import { readAuthenticator } from '../../../test/scenes/factor-scene.ts'
import { testConfig } from '../../../test/support/app.ts'
import { openTestDatabase } from '../../../test/support/postgres.ts'
import type { CertificateClient, Credentials } from '../src/credentials.ts'
import { makeCertificateClients, planTlsListener } from './lineage-certificates.ts'

/** Everything that Basic must encode. */
const SPECIAL_SECRET = 'a+secret with %41:colons & ümlauts, long enough to be one'
/** Of over 72 bytes, where bcrypt stops reading. */
const PASSWORD = 'pässwörter of more than seventy-two bytes, so that a truncated one is another one'
const SCOPES = ['notes:read', 'notes:write']
const RESOURCE = 'https://api.example.test'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** Its own tokens, which are the only ones that the suite exchanges. */
const OWN_TOKENS: ClientInput['exchange'] = [
  {
    audience: RESOURCE,
    scopes: SCOPES,
    subjectClients: ['tested-service'],
    mode: 'delegation',
  },
]

export interface LineageScene {
  readonly issuer: string
  /** Where it listens itself. */
  readonly url: string
  readonly credentials: Credentials
  /** In place of the `certificateClient`, whose certificate has an authority. */
  readonly selfSignedClient: CertificateClient
  readonly resourceUrl: string
}

export interface LineageSceneOptions {
  /** Of the issuer, with its slash. */
  readonly path?: string
  /** Where a proxy in front of it listens; without one the issuer is its own URL. */
  readonly front?: string
  /** Families live there in place of PostgreSQL. */
  readonly redisUrl?: string
  /** Networks that are never throttled; by default that of the suite, which guesses a lot. */
  readonly throttleExempt?: readonly string[]
  /** Where proofs of DPoP need a nonce; by default where a service as it comes wants one. */
  readonly dpopNonce?: 'off' | 'token'
}

export async function startLineageScene(
  t: Test,
  {
    path = '',
    front,
    redisUrl,
    throttleExempt = ['127.0.0.0/8'],
    dpopNonce = 'token',
  }: LineageSceneOptions = {},
): Promise<LineageScene> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const issuer = `${front ?? url}${path}`
  const { tlsPort, config: tls } = await planTlsListener(t)
  const config = {
    ...testConfig((await openTestDatabase(t)).url),
    ...tls,
    issuer,
    port,
    throttleExempt,
    signingAlgs: ['ES256', 'RS256'] as const,
    dpopNonce,
    redis: redisUrl === undefined ? undefined : parseRedisUrl(redisUrl),
    adminClient: { id: 'special-client', secret: SPECIAL_SECRET },
    logLevel: 'fatal' as const,
  }
  const logger = createLogger('fatal', { write: () => {} })
  const service = await openService({ config, logger })
  const app = await buildApp({ ...service, tls: undefined }, logger)
  const tlsApp = await buildApp(service, logger)
  t.teardown(async () => {
    for (const { server } of [app, tlsApp]) server.closeAllConnections()
    await Promise.all([app.close(), tlsApp.close()])
    await service.close()
  })
  const { credentials, selfSignedClient } = await createCredentials(service, issuer)
  await service.clients.reload()
  await app.listen({ port, host: '127.0.0.1' })
  await tlsApp.listen({ port: tlsPort, host: '127.0.0.1' })
  service.health.markStarted()
  return { issuer, url, credentials, selfSignedClient, resourceUrl: `${issuer}/verify` }
}

async function createCredentials(
  service: Service,
  issuer: string,
): Promise<Pick<LineageScene, 'credentials' | 'selfSignedClient'>> {
  const { clientStore } = service
  const make = async (id: string, input: Partial<ClientInput>) => {
    const created = await clientStore.create({
      id,
      name: id,
      type: 'confidential',
      grantTypes: ['password', 'refresh_token', 'client_credentials', TOKEN_EXCHANGE],
      scopes: SCOPES,
      defaultScopes: SCOPES,
      audiences: [issuer, RESOURCE],
      ...input,
    })
    if (!created.ok) throw new Error(`the client ${id} is not valid`)
    return { id, secret: created.value.clientSecret ?? '' }
  }
  const confidential = await make('tested-service', { exchange: OWN_TOKENS })
  const second = await clientStore.addSecret(confidential.id)
  if (!second || second === 'refused') throw new Error('no second secret')
  const { privateKey, publicKey } = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  await make('tested-key', {
    authMethods: ['private_key_jwt'],
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'tested' } as JWK] },
  })
  const privateJwk = { ...privateKey.export({ format: 'jwk' }), kid: 'tested' } as JWK
  const publicInput: Partial<ClientInput> = {
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
  }
  await make('tested-app', publicInput)
  // Its answers to a lost answer end at once, so that its tokens may, too.
  await make('tested-expiring', {
    ...publicInput,
    refreshGraceSeconds: 0,
    refreshIdleTtlSeconds: 2,
    refreshAbsoluteTtlSeconds: 5,
  })
  await make('tested-bound', { ...publicInput, tlsClientCertificateBoundAccessTokens: true })
  const { certificateClient, selfSignedClient } = await makeCertificateClients(make)
  const { username } = await makeUser(service, 'tested-user')
  const disabled = await makeUser(service, 'disabled-user')
  await service.users.patch(disabled.id, { status: 'disabled' })
  const cautious = await makeUser(service, 'cautious-user')
  await enroll(service, cautious)
  const credentials: Credentials = {
    confidentialClient: { ...confidential, secondSecret: second.clientSecret },
    otherClient: await make('tested-other', {
      grantTypes: ['refresh_token', 'client_credentials'],
    }),
    publicClient: { id: 'tested-app' },
    rs256Client: await make('tested-rs256', { signingAlg: 'RS256' }),
    assertionClient: { id: 'tested-key', privateJwk, alg: 'ES256' },
    certificateClient,
    boundClient: { id: 'tested-bound' },
    specialClient: { id: 'special-client', secret: SPECIAL_SECRET },
    expiringClient: { id: 'tested-expiring', idleSeconds: 2, absoluteSeconds: 5 },
    user: { username, password: PASSWORD },
    disabledUser: { username: disabled.username, password: PASSWORD },
    mfaUser: { username: cautious.username, password: PASSWORD },
    scope: 'notes:read',
    wideScope: SCOPES.join(' '),
    resource: RESOURCE,
  }
  return { credentials, selfSignedClient }
}

async function makeUser({ users, hasher }: Service, name: string): Promise<User> {
  const [username, email] = [parseUsername(name), parseEmail(`${name}@example.test`)]
  if (!username || !email) throw new Error('the name is not valid')
  return await users.create({ username, email, passwordHash: await hasher.hash(PASSWORD) })
}

/** Gives the user a second factor. */
async function enroll({ management: { factors } }: Service, { id: userId }: User): Promise<void> {
  const made = await factors.create({ userId }, undefined)
  const code = readAuthenticator(made).code(Date.now())
  await factors.activate({ userId }, made.id, code, {})
}
