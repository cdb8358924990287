// mod_auth_openidc, of Debian, as a resource server: tokens verified offline by the JWKS or by files,
// and online by introspection, with the settings that docs/integrations.md shows.

import { type Test, test } from 'tap'
import type { SigningAlg } from '../../src/keys/signing-algorithms.ts'
import { BAD_TOKENS, type BadToken, issueToken, makeBadTokens } from '../scenes/bad-tokens.ts'
import {
  API,
  countJwksRequests,
  makeConfidentialClient,
  type Scene,
  startScene,
} from '../scenes/integration-scene.ts'
import { logIn } from '../support/app.ts'
import { runHere } from '../support/command-line.ts'
import { readTable } from '../support/documented.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { startTlsFront } from '../support/tls-front.ts'
import {
  type Apache,
  type ApacheOptions,
  type ExportedKey,
  PROGRAM,
  startApache,
} from './programs/openidc-apache.ts'

const LINE = readTable('Programs').get(PROGRAM)
/** Refused for what they demand, after they were believed: RFC 6750 would have a challenge there. */
const UNCHALLENGED: readonly BadToken[] = ['for another audience', 'from another issuer']

interface Setting {
  readonly scene: Scene
  readonly client: { readonly id: string; readonly secret: string }
  readonly certificate: string
  /** From now on Lineage cannot be reached. */
  cut(): void
  start(t: Test, options?: Partial<ApacheOptions>): Promise<Apache>
}

async function open(t: Test, signingAlg: SigningAlg = 'ES256'): Promise<Setting> {
  const front = await startTlsFront(t)
  const { certificate } = front
  const scene = await startScene(t, { issuer: front.url, config: { signingAlgs: [signingAlg] } })
  front.forwardTo(scene.url)
  return {
    scene,
    certificate,
    // Nobody listens there.
    cut: () => front.forwardTo('http://127.0.0.1:1'),
    client: await makeConfidentialClient(scene),
    start: (t, options = {}) => startApache(t, { scene, certificate, ...options }),
  }
}

function makeIntrospector({ scene }: Setting) {
  return scene.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
}

function countQuestions({ scene: { log } }: Setting): number {
  return log.filter(({ event, route }) => event === 'request.completed' && route === '/introspect')
    .length
}

async function checkTokens(t: Test, { scene, client }: Setting, apache: Apache) {
  const user = await scene.makeUser()
  const tokens = await logIn(scene, client, user)
  const shown = await apache.show(tokens.access_token)
  t.match(shown, { status: 200, headers: { oidc_claim_scope: 'notes:read', oidc_claim_aud: API } })
  t.match(await apache.show(await issueToken(scene, client)), {
    status: 200,
    headers: { 'x-remote-user': client.id },
  })
  const bad = await makeBadTokens(t, scene, tokens.access_token)
  for (const kind of BAD_TOKENS) {
    const { status, challenge } = await apache.show(bad[kind])
    t.equal(status, 401, kind)
    if (challenge === null) t.ok(UNCHALLENGED.includes(kind), kind)
    else t.match(challenge, /^Bearer error="invalid_token"/, kind)
  }
  const scope = { scope: 'notes:write' }
  const { access_token: narrow } = await logIn(scene, client, user, scope)
  t.match(await apache.show(narrow), { status: 401, challenge: null }, 'another scope')
  t.match(await apache.show(), { status: 401, challenge: /^Bearer error="invalid_request"/ })
  return { user, tokens, shown }
}

async function revoke({ scene, client }: Setting, token: string): Promise<void> {
  const form = { token, client_id: client.id, client_secret: client.secret }
  if ((await scene.form('/revoke', form)).status !== 200) throw new Error('not revoked')
}

for (const alg of ['ES256', 'RS256', 'PS256'] as const) {
  test(`mod_auth_openidc verifies ${alg} by the JWKS`, async (t) => {
    const setting = await open(t, alg)
    const apache = await setting.start(t)
    t.equal(/mod_auth_openidc-([\d.]+) /.exec(apache.log())?.[1], LINE?.Version)
    const { tokens, shown } = await checkTokens(t, setting, apache)
    t.match(shown.headers, { 'x-remote-user': shown.headers.oidc_claim_sub })
    await revoke(setting, tokens.refresh_token)
    t.match(await apache.show(tokens.access_token), { status: 200 }, 'revoked, until it expires')
    t.equal(countQuestions(setting), 0)
  })
}

async function exportKeys({ scene: { databaseUrl } }: Setting): Promise<readonly ExportedKey[]> {
  const env = serverEnvironment(databaseUrl)
  const { code, stdout, stderr } = await runHere(env, ['keys', 'export', '--pem', '--json'])
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

for (const alg of ['RS256', 'PS256'] as const) {
  test(`mod_auth_openidc verifies ${alg} by files, and asks nobody`, async (t) => {
    const setting = await open(t, alg)
    const { scene, client, cut, start } = setting
    cut()
    const keys = await exportKeys(setting)
    const apache = await start(t, { keys })
    const { tokens } = await checkTokens(t, setting, apache)
    await revoke(setting, tokens.refresh_token)
    const old = tokens.access_token
    t.match(await apache.show(old), { status: 200 }, 'revoked, until it expires')

    await scene.service.keys.rotate({ compromised: true })
    const fresh = await issueToken(scene, client)
    t.match(await apache.show(fresh), { status: 401, challenge: /invalid_token/ }, 'of a new key')
    const both = await start(t, { keys: [...keys, ...(await exportKeys(setting))] })
    t.match(await both.show(fresh), { status: 200 })
    t.match(await both.show(old), { status: 200 }, 'a file that stays is believed')

    const misnamed = keys.map(({ pem }) => ({ kid: 'lineage', pem }))
    t.match(await (await start(t, { keys: misnamed })).show(old), { status: 401 }, 'no such kid')
  })
}

for (const alg of ['ES256', 'EdDSA'] as const) {
  test(`a file with a key for ${alg} is the end of Apache`, async (t) => {
    const setting = await open(t, alg)
    const keys = await exportKeys(setting)
    await t.rejects(setting.start(t, { keys }), { message: 'Apache has ended: SIGSEGV' })
  })
}

test('mod_auth_openidc has no EdDSA', async (t) => {
  const setting = await open(t, 'EdDSA')
  const apache = await setting.start(t)
  const token = await issueToken(setting.scene, setting.client)
  t.match(await apache.show(token), { status: 401, challenge: /invalid_token/ })
})

test('a new key is fetched when it is met, and so is one that somebody makes up', async (t) => {
  const setting = await open(t)
  const { scene, client } = setting
  const apache = await setting.start(t)
  const passes = async (token: string) => (await apache.show(token)).status === 200
  t.ok(await passes(await issueToken(scene, client)))
  t.equal(countJwksRequests(scene), 1)
  await scene.service.keys.rotate({ compromised: true })
  t.ok(await passes(await issueToken(scene, client)))
  t.ok(await passes(await issueToken(scene, client)))
  t.equal(countJwksRequests(scene), 2)
  const bad = await makeBadTokens(t, scene, await issueToken(scene, client))
  const before = countJwksRequests(scene)
  for (const _ of [1, 2, 3]) t.notOk(await passes(bad['of an unknown kid']))
  t.equal(countJwksRequests(scene), before + 3, 'one fetch for each that is made up')
})

test('what is not demanded is not looked at', async (t) => {
  const setting = await open(t)
  const { scene, client } = setting
  const demands = [`Require claim iss:${scene.issuer}`, `Require claim aud:${API}`]
  const changes = Object.fromEntries(demands.map((line) => [line, '']))
  const apache = await setting.start(t, { changes })
  const bad = await makeBadTokens(t, scene, await issueToken(scene, client))
  for (const kind of UNCHALLENGED) t.match(await apache.show(bad[kind]), { status: 200 }, kind)
})

test('mod_auth_openidc asks /introspect about every token', async (t) => {
  const setting = await open(t)
  const introspector = await makeIntrospector(setting)
  const apache = await setting.start(t, { introspector })
  const { user, tokens, shown } = await checkTokens(t, setting, apache)
  t.match(shown.headers, { 'x-remote-user': user.id, oidc_claim_username: user.username })
  const before = countQuestions(setting)
  await apache.show(tokens.access_token)
  await apache.show(tokens.access_token)
  t.equal(countQuestions(setting), before + 2)
  await revoke(setting, tokens.refresh_token)
  t.match(await apache.show(tokens.access_token), { status: 401, challenge: /invalid_token/ })
})

test('without the interval, tokens are in its log, or answers outlive a revocation', async (t) => {
  const setting = await open(t)
  const introspector = await makeIntrospector(setting)
  const token = async () =>
    await logIn(setting.scene, setting.client, await setting.scene.makeUser())
  const askTwice = async (line: string) => {
    const changes = { 'OIDCOAuthTokenIntrospectionInterval -1': line }
    const apache = await setting.start(t, { introspector, changes })
    const { access_token, refresh_token } = await token()
    const before = countQuestions(setting)
    t.match(await apache.show(access_token), { status: 200 })
    await revoke(setting, refresh_token)
    const { status } = await apache.show(access_token)
    const isLogged = apache.log().includes(access_token)
    return { status, questions: countQuestions(setting) - before, isLogged }
  }
  const asked = { status: 401, questions: 2 }
  t.match(await askTwice('OIDCOAuthTokenIntrospectionInterval -1'), { ...asked, isLogged: false })
  t.match(await askTwice(''), { ...asked, isLogged: true }, 'too long a key for its cache')
  const encrypted = 'OIDCCacheEncrypt On\nOIDCCryptoPassphrase a-passphrase-of-its-own'
  t.match(await askTwice(encrypted), { status: 200, questions: 1, isLogged: false })
})

test('users by name, and then no clients', async (t) => {
  const setting = await open(t)
  const { scene, client } = setting
  const introspector = await makeIntrospector(setting)
  const line = 'OIDCOAuthTokenIntrospectionInterval -1'
  const changes = { [line]: `${line}\nOIDCOAuthRemoteUserClaim username` }
  const apache = await setting.start(t, { introspector, changes })
  const user = await scene.makeUser()
  t.match(await apache.show((await logIn(scene, client, user)).access_token), {
    status: 200,
    headers: { 'x-remote-user': user.username },
  })
  t.match(await apache.show(await issueToken(scene, client)), { status: 401 })
})

test('while Lineage is away nobody passes by introspection, known keys go on', async (t) => {
  const setting = await open(t)
  const { scene, client } = setting
  const online = await setting.start(t, { introspector: await makeIntrospector(setting) })
  const offline = await setting.start(t)
  const token = await issueToken(scene, client)
  for (const apache of [online, offline]) t.match(await apache.show(token), { status: 200 })
  setting.cut()
  t.match(await online.show(token), { status: 401, challenge: /invalid_token/ })
  t.match(await offline.show(token), { status: 200 })
})
