// Real answers of every operation are what openapi.yaml says, and what it says can happen does.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import {
  type ConfirmationPurpose,
  mintConfirmationToken,
} from '../../../src/users/confirmation-token.ts'
import type { UserId } from '../../../src/users/user.ts'
import { makeProver } from '../../scenes/dpop-scene.ts'
import { readAuthenticator } from '../../scenes/factor-scene.ts'
import {
  type Bearers,
  commonRefusals,
  openContractScene,
  UNKNOWN,
  UNKNOWN_IDS,
} from '../../scenes/openapi-scene.ts'
import { ADMIN, ISSUER, MAIL, startApp, type TestApp } from '../../support/app.ts'

const USER = { username: 'ada', email: 'ada@example.test', password: 'correct horse' }

interface Actors {
  readonly app: TestApp
  readonly bearers: Bearers
  readonly userId: string
  readonly sessionId: string
  readonly refreshToken: string
}

type Scene = ReturnType<typeof openContractScene>

async function openActors(t: Test): Promise<Actors> {
  const app = await startApp(t, { config: { registration: 'open', mail: MAIL } })
  await app.makeClient({ id: 'web-app', grantTypes: ['password', 'refresh_token'] })
  const user = await app.makeUser(USER)
  const tokens = await logIn(app)
  return {
    app,
    bearers: {
      admin: { authorization: `Bearer ${await app.adminToken()}` },
      user: { authorization: `Bearer ${tokens.access_token}` },
    },
    userId: user.id,
    sessionId: String(decodeJwt(tokens.access_token).sid),
    refreshToken: tokens.refresh_token,
  }
}

const LOGIN = { grant_type: 'password', client_id: 'web-app', username: 'ada' }

async function logIn(app: TestApp, password = USER.password) {
  const answer = await app.form('/token', { ...LOGIN, password })
  return (await answer.json()) as { access_token: string; refresh_token: string }
}

test('every answer is documented, and every documented one is given', async (t) => {
  const scene = openContractScene(t)
  const actors = await openActors(t)
  for (const operation of scene.operations) {
    for (const [status, call] of commonRefusals(operation, actors.bearers)) {
      await scene.call(actors.app, operation.id, status, call)
    }
  }
  await callWithProofs(t, scene, actors)
  await callTokens(scene, actors)
  await callGateways(scene, actors)
  await callDiscovery(t, scene, actors)
  await callClients(scene, actors)
  await callTrust(scene, actors)
  await callKeysAndEvents(scene, actors)
  await callWebhooks(scene, actors)
  await callMails(scene, actors)
  await callAccount(t, scene, actors)
  await callUsers(scene, actors)
  await callProbes(scene, actors)
  t.strictSame(scene.unseen(), [])
})

async function callTokens({ call }: Scene, { app, refreshToken }: Actors): Promise<void> {
  const secret = { client_id: ADMIN.id, client_secret: ADMIN.secret }
  const machine = await call(app, 'issueToken', 200, {
    form: { grant_type: 'client_credentials', ...secret },
  })
  const password = USER.password
  await call(app, 'issueToken', 200, { form: { ...LOGIN, password } })
  await call(app, 'issueToken', 400, { form: { ...LOGIN, password: 'wrong horse' } })
  await call(app, 'issueToken', 400, { form: { ...LOGIN, password, scope: 'more' } })
  await call(app, 'issueToken', 400, { form: { ...LOGIN, password, resource: 'relative' } })
  await call(app, 'issueToken', 400, { form: { grant_type: 'code', client_id: 'web-app' } })
  await call(app, 'issueToken', 400, { form: { ...LOGIN, password, ...secret } })
  await call(app, 'issueToken', 200, {
    form: { grant_type: 'refresh_token', client_id: 'web-app', refresh_token: refreshToken },
  })

  const app1 = await app.makeClient({
    id: 'service',
    type: 'confidential',
    grantTypes: ['password', 'refresh_token'],
  })
  const own = { client_id: app1.id, client_secret: app1.secret }
  const answer = await app.form('/token', { ...LOGIN, ...own, password })
  const issued = (await answer.json()) as { access_token: string; refresh_token: string }
  for (const token of [issued.access_token, issued.refresh_token, 'anything']) {
    await call(app, 'introspectToken', 200, { form: { token, ...own } })
  }
  await call(app, 'introspectToken', 200, {
    form: { token: String(machine.access_token), ...secret },
  })
  await call(app, 'revokeToken', 200, { form: { token: issued.refresh_token, ...own } })
}

async function callWithProofs(t: Test, scene: Scene, { app }: Actors): Promise<void> {
  const config = { dpopNonce: 'all', trustProxy: ['127.0.0.0/8'], mail: MAIL } as const
  const strict = await startApp(t, { beside: app, config })
  const prover = await makeProver()
  const form = { ...LOGIN, password: USER.password }
  for (const dpop of ['no proof', prover.prove()]) {
    await scene.call(strict, 'issueToken', 400, { form, headers: { dpop } })
  }
  const asking = scene.operations.filter(({ id, answers }) => id !== 'issueToken' && answers[401])
  for (const { id, path, method, operation } of asking) {
    if (!operation.security.some((demand) => /dpop/i.test(Object.keys(demand).join()))) continue
    const ids = { ...UNKNOWN_IDS, factorId: UNKNOWN, path: 'orders/7' }
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => ids[name as keyof typeof ids])
    const below = `${strict.url.replace('http:', 'https:')}/orders/7`
    const url = path.startsWith('/verify/') ? below : `${ISSUER}${filled}`
    for (const dpop of ['no proof', prover.prove({ method, url, token: 'x' })]) {
      const headers = { authorization: 'DPoP x', dpop, 'x-forwarded-proto': 'https' }
      await scene.call(strict, id, 401, { ids, headers })
    }
  }
}

async function callGateways({ call }: Scene, { app, bearers }: Actors): Promise<void> {
  for (const headers of [bearers.admin, bearers.user]) {
    await call(app, 'verifyRequest', 200, { headers, query: { audience: ISSUER } })
    await call(app, 'verifyRequestBelow', 200, { headers, ids: { path: 'orders/7' } })
  }
  const headers = bearers.user
  await call(app, 'verifyRequest', 403, { headers, query: { scope: 'orders:read' } })
  await call(app, 'verifyRequest', 401, { headers, query: { audience: 'https://other.example' } })
  await call(app, 'verifyRequestBelow', 403, {
    headers: { ...headers, 'x-auth-require-scope': 'orders:read' },
  })
  await call(app, 'verifyRequestBelow', 401)
}

async function callDiscovery(t: Test, { call }: Scene, { app }: Actors): Promise<void> {
  for (const id of ['getIndex', 'getKeySet', 'getContract', 'getDocumentation']) {
    await call(app, id, 200)
    await call(app, id, 304, { headers: { 'if-none-match': '*' } })
  }
  await call(app, 'getMetadata', 200)
  await call(app, 'getOpenIdMetadata', 200)
  const issuer = `${ISSUER}/tenant`
  const tenant = await startApp(t, { config: { issuer }, beside: app })
  await call(tenant, 'getMetadataByPath', 200, { ids: { issuerPath: 'tenant' } })
  const operations = await startApp(t, { surface: 'operations', beside: app })
  await call(operations, 'getIndex', 200)
}

async function callClients({ call }: Scene, { app, bearers }: Actors): Promise<void> {
  const headers = bearers.admin
  const json = { name: 'Orders', type: 'confidential', grantTypes: ['client_credentials'] }
  const created = await call(app, 'createClient', 201, { headers, json: { id: 'orders', ...json } })
  await call(app, 'createClient', 409, { headers, json: { id: 'orders', ...json } })
  await call(app, 'createClient', 201, {
    headers,
    json: { ...json, type: 'public', grantTypes: ['password'] },
  })
  const ids = { id: 'orders' }
  await call(app, 'listClients', 200, { headers, query: { limit: '1' } })
  await call(app, 'getClient', 200, { headers, ids })
  await call(app, 'updateClient', 200, { headers, ids, json: { name: 'Ours', scopes: null } })
  await call(app, 'updateClient', 404, { headers, ids: { id: 'nobody' }, json: {} })
  const stale = { ...headers, 'if-match': '"stale"' }
  await call(app, 'updateClient', 412, { headers: stale, ids, json: { name: 'Mine' } })
  await call(app, 'deleteClient', 412, { headers: stale, ids })

  const [first] = created.secrets as { id: string }[]
  const secret = { id: 'orders', secretId: first?.id ?? '' }
  await call(app, 'removeClientSecret', 409, { headers, ids: secret })
  await call(app, 'addClientSecret', 201, { headers, ids })
  await call(app, 'addClientSecret', 409, { headers, ids })
  await call(app, 'addClientSecret', 404, { headers, ids: { id: 'nobody' } })
  await call(app, 'removeClientSecret', 204, { headers, ids: secret })
  await call(app, 'endClientSessions', 204, { headers, ids })
  await call(app, 'deleteClient', 204, { headers, ids })
}

async function callTrust({ call }: Scene, { app, bearers }: Actors): Promise<void> {
  const headers = bearers.admin
  const json = {
    ...{ id: 'idp', issuer: 'https://idp.example.test', kind: 'oidc' },
    jwksUri: 'https://idp.example.test/jwks',
  }
  await call(app, 'createTrustedIssuer', 201, { headers, json })
  await call(app, 'createTrustedIssuer', 409, { headers, json })
  await call(app, 'listTrustedIssuers', 200, { headers, query: { limit: '1' } })
  const ids = { id: 'idp' }
  await call(app, 'getTrustedIssuer', 200, { headers, ids })
  const patch = { audience: 'https://auth.example/ci', subjects: { mode: 'own' } }
  await call(app, 'updateTrustedIssuer', 200, { headers, ids, json: patch })
  await call(app, 'updateTrustedIssuer', 404, { headers, ids: { id: 'nobody' }, json: {} })
  const stale = { ...headers, 'if-match': '"stale"' }
  await call(app, 'updateTrustedIssuer', 412, { headers: stale, ids, json: { audience: null } })
  await call(app, 'deleteTrustedIssuer', 412, { headers: stale, ids })
  await call(app, 'deleteTrustedIssuer', 204, { headers, ids })
}

async function callKeysAndEvents({ call }: Scene, { app, bearers }: Actors): Promise<void> {
  const headers = bearers.admin
  await call(app, 'rotateKeys', 201, { headers })
  await call(app, 'rotateKeys', 200, { headers, json: { compromised: false } })
  await call(app, 'listKeys', 200, { headers })
  const events = await call(app, 'listEvents', 200, {
    headers,
    query: { since: '2026-01-01', limit: '3' },
  })
  const cursor = String(events.nextCursor)
  await call(app, 'listEvents', 200, { headers, query: { cursor, type: 'login.succeeded' } })
}

async function callWebhooks({ call }: Scene, { app, bearers }: Actors): Promise<void> {
  const headers = bearers.admin
  const json = { url: 'http://127.0.0.1:9/', events: ['user.created'], allowPrivateNetwork: true }
  const { id } = await call(app, 'createWebhook', 201, { headers, json })
  const ids = { id: String(id) }
  await call(app, 'listWebhooks', 200, { headers })
  await call(app, 'getWebhook', 200, { headers, ids })
  await call(app, 'rotateWebhookSecret', 201, { headers, ids })
  await call(app, 'testWebhook', 202, { headers, ids })
  await call(app, 'listWebhookDeliveries', 200, { headers, ids, query: { limit: '5' } })
  await call(app, 'listWebhookDeliveries', 400, { headers, ids, query: { limit: '0' } })
  await call(app, 'listWebhookDeliveries', 400, { headers, ids, query: { cursor: 'x' } })
  await call(app, 'updateWebhook', 200, { headers, ids, json: { status: 'disabled' } })
  await call(app, 'testWebhook', 409, { headers, ids })
  for (const operation of ['updateWebhook', 'rotateWebhookSecret', 'testWebhook']) {
    await call(app, operation, 404, {
      headers,
      ids: { id: UNKNOWN },
      ...(operation === 'updateWebhook' && { json: {} }),
    })
  }
  await call(app, 'deleteWebhook', 204, { headers, ids })
}

async function callMails({ call }: Scene, { app, bearers }: Actors): Promise<void> {
  const email = 'alan@example.test'
  const { id } = await app.makeUser({ username: 'turing', email })
  const { users, rootSecrets } = app.service
  const mint = async (purpose: ConfirmationPurpose): Promise<string> => {
    const found = await users.findCredentials(id as UserId)
    if (!found) throw new Error('nobody to write to')
    const { user, record } = found
    const subject = purpose === 'password_reset' ? { user, epoch: record.epoch } : { user }
    return mintConfirmationToken(purpose, subject, Date.now() / 1000 + 60, rootSecrets)
  }
  await call(app, 'requestPasswordReset', 202, { json: { email } })
  await call(app, 'requestEmailVerification', 202, { headers: bearers.user })
  const token = await mint('email_verification')
  await call(app, 'confirmEmailVerification', 204, { json: { token } })
  await call(app, 'confirmEmailVerification', 400, { json: { token } })
  const reset = { token: await mint('password_reset'), newPassword: 'a better horse' }
  await call(app, 'confirmPasswordReset', 204, { json: reset })
  await call(app, 'confirmPasswordReset', 400, { json: reset })
  await call(app, 'deleteUser', 204, { headers: bearers.admin, ids: { id } })
}

async function callAccount(t: Test, scene: Scene, actors: Actors): Promise<void> {
  const { call } = scene
  const { app, bearers, sessionId } = actors
  const headers = bearers.user
  const json = { username: 'grace', email: 'grace@example.test', password: 'another horse' }
  await call(app, 'register', 201, { json })
  await call(app, 'register', 409, { json })
  const closed = await startApp(t, { beside: app })
  await call(closed, 'register', 403, { json })
  await call(app, 'getOwnAccount', 200, { headers })
  await call(app, 'listOwnSessions', 200, { headers })
  const other = decodeJwt((await logIn(app)).access_token)
  await call(app, 'endOwnSession', 204, { headers, ids: { sessionId: String(other.sid) } })
  await call(app, 'endOtherSessions', 204, { headers })
  const ended = await call(app, 'listOwnSessions', 200, { headers, query: { status: 'ended' } })
  t.not((ended.items as unknown[]).length, 0)

  await callFactors(t, scene, actors)

  const newPassword = 'a better horse'
  await call(app, 'changeOwnPassword', 403, {
    headers,
    json: { currentPassword: 'wrong horse', newPassword },
  })
  const admin = { headers: bearers.admin, ids: { id: actors.userId } }
  await call(app, 'listUserSessions', 200, admin)
  await call(app, 'changeOwnPassword', 204, {
    headers,
    json: { currentPassword: USER.password, newPassword },
  })
  await call(app, 'endUserSession', 204, { ...admin, ids: { ...admin.ids, sessionId } })
}

async function callFactors(t: Test, { call }: Scene, { app, bearers, userId }: Actors) {
  const headers = bearers.user
  const json = { type: 'totp', name: 'My phone' }
  const made = await call(app, 'createOwnFactor', 201, { headers, json })
  const authenticator = readAuthenticator(made as { id: string; otpauthUri: string })
  const own = { headers, ids: { factorId: authenticator.id } }
  await call(app, 'renewOwnRecoveryCodes', 409, { headers })
  await call(app, 'activateOwnFactor', 403, { ...own, json: { code: '0' } })
  await call(app, 'activateOwnFactor', 404, { headers, json: { code: '0' } })
  const code = authenticator.code(Date.now())
  await call(app, 'activateOwnFactor', 200, { ...own, json: { code } })
  await call(app, 'activateOwnFactor', 409, { ...own, json: { code } })
  await call(app, 'renewOwnRecoveryCodes', 200, { headers })
  await call(app, 'issueToken', 400, { form: { ...LOGIN, password: USER.password } })
  for (let i = 0; i < 4; i += 1) await call(app, 'createOwnFactor', 201, { headers, json })
  await call(app, 'createOwnFactor', 409, { headers, json })
  await call(app, 'listOwnFactors', 200, { headers, query: { limit: '2' } })
  const admin = { headers: bearers.admin, ids: { id: userId } }
  await call(app, 'listUserFactors', 200, admin)
  for (const query of [{ limit: '0' }, { cursor: 'x' }]) {
    await call(app, 'listUserFactors', 400, { ...admin, query })
  }
  const later = await startApp(t, { beside: app, clock: () => Date.now() + 301_000 })
  await call(later, 'listOwnFactors', 403, { headers })
  await call(later, 'createOwnFactor', 403, { headers, json })
  await call(later, 'activateOwnFactor', 403, { ...own, json: { code } })
  await call(later, 'renewOwnRecoveryCodes', 403, { headers })
  await call(later, 'removeOwnFactor', 403, own)
  await call(app, 'removeOwnFactor', 204, own)
  await call(app, 'removeUserFactors', 204, { ...admin, ids: { id: UNKNOWN } })
}

async function callUsers({ call }: Scene, { app, bearers, userId }: Actors): Promise<void> {
  const headers = bearers.admin
  const json = { username: 'alan', email: 'alan@example.test', password: 'third horse' }
  await call(app, 'createUser', 201, { headers, json: { ...json, roles: ['support'] } })
  await call(app, 'createUser', 409, { headers, json })
  await call(app, 'listUsers', 200, { headers, query: { limit: '1', status: 'active' } })
  const ids = { id: userId }
  await call(app, 'getUser', 200, { headers, ids })
  await call(app, 'updateUser', 200, { headers, ids, json: { emailVerified: true } })
  await call(app, 'updateUser', 409, { headers, ids, json: { username: 'alan' } })
  const nobody = { headers, ids: { id: UNKNOWN } }
  await call(app, 'updateUser', 404, { ...nobody, json: {} })
  const stale = { ...headers, 'if-match': '"stale"' }
  await call(app, 'updateUser', 412, { headers: stale, ids, json: { emailVerified: false } })
  await call(app, 'deleteUser', 412, { headers: stale, ids })
  await call(app, 'setUserPassword', 204, { headers, ids, json: { password: 'fourth horse' } })
  await call(app, 'setUserPassword', 404, { ...nobody, json: { password: 'fourth horse' } })
  for (const query of [{ limit: '0' }, { cursor: 'x' }]) {
    await call(app, 'listUserSessions', 400, { headers, ids, query })
  }
  await call(app, 'endUserSessions', 204, { headers, ids })
  await call(app, 'deleteUser', 204, { headers, ids })
}

async function callProbes({ call }: Scene, { app }: Actors): Promise<void> {
  await call(app, 'getLiveness', 200)
  await call(app, 'getReadiness', 200)
  await call(app, 'getMetrics', 200)
  app.service.health.markDraining()
  await call(app, 'getReadiness', 503)
}
