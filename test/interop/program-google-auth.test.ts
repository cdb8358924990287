// Python: google-auth of Debian, Google's own library, with the token endpoint of Lineage in place
// of Google's. Unlike its sister in JavaScript it keeps the refresh token that an answer brings.

import { createPublicKey } from 'node:crypto'
import type { JWK } from 'jose'
import { type Test, test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import type { ServiceConfig } from '../../src/config/service-config.ts'
import type { SigningAlg } from '../../src/keys/signing-algorithms.ts'
import { issueToken, makeBadTokens } from '../scenes/bad-tokens.ts'
import { API, makeConfidentialClient, type Scene, startScene } from '../scenes/integration-scene.ts'
import { logIn } from '../support/app.ts'
import { readTable } from '../support/documented.ts'
import { startLossyFront } from '../support/lossy-front.ts'
import { startSteppedDate } from '../support/stepped-date.ts'
import { ForeignRefusal, findInterpreter, openForeignProgram } from './clients/foreign-program.ts'

const python = findInterpreter({
  // Debian's own: another one on PATH does not see Debian's packages.
  programs: ['/usr/bin/python3'],
  probe: ['-c', 'import google.oauth2.credentials, google.auth.transport.requests, pkg_resources'],
  packages: ['python3-google-auth', 'python3-requests', 'python3-pkg-resources'],
})
const program = openForeignProgram(python, 'google-auth.py')

interface State {
  readonly token: string
  readonly refreshToken: string
  /** Whether it would use the token as it is. */
  readonly valid: boolean
  /** Of an API that was asked. */
  readonly status?: number
}

interface LoginOptions {
  readonly config?: Partial<ServiceConfig>
  readonly input?: Partial<ClientInput>
}

async function startLogin(t: Test, { config = {}, input = {} }: LoginOptions = {}) {
  t.teardown(program.close)
  const scene = await startScene(t, { config })
  const front = await startLossyFront(t, scene.url)
  const client = await makeConfidentialClient(scene, input)
  const tokens = await logIn(scene, client, await scene.makeUser())
  const open = (name: string, changes: Record<string, unknown> = {}) =>
    program.ask({
      do: 'open',
      name,
      refreshToken: tokens.refresh_token,
      tokenUri: `${front.url}/token`,
      clientId: client.id,
      clientSecret: client.secret,
      ...changes,
    })
  await open('main')
  return { scene, front, client, tokens, open }
}

async function ask(what: string, more: Record<string, unknown> = {}): Promise<State> {
  return (await program.ask({ do: what, name: 'main', ...more })) as State
}

function readRefusal(refused: Promise<unknown>): Promise<string> {
  return refused.then(
    () => 'not refused',
    (error: unknown) => {
      if (error instanceof ForeignRefusal) return error.message
      throw error
    },
  )
}

const INVALID_GRANT =
  'RefreshError: invalid_grant: The refresh token is invalid, expired or revoked.'

test('google-auth (Python): keeps each new refresh token', async (t) => {
  const { front, client, tokens } = await startLogin(t, { input: { refreshGraceSeconds: 0 } })
  const presented = [tokens.refresh_token]
  for (const refreshes of [1, 2, 3]) {
    const { refreshToken, valid } = await ask('refresh')
    presented.push(refreshToken)
    t.ok(valid)
    t.match(front.seen[refreshes - 1], {
      authorization: undefined,
      form: { refresh_token: presented[refreshes - 1], client_secret: client.secret },
    })
  }
  t.equal(new Set(presented).size, 4)
})

test('google-auth (Python): a refusal is a RefreshError, at once', async (t) => {
  const { front, open } = await startLogin(t, { input: { refreshGraceSeconds: 0 } })
  await open('other')
  await ask('refresh')
  t.equal(await readRefusal(ask('refresh', { name: 'other' })), INVALID_GRANT, 'a replay')
  t.equal(await readRefusal(ask('refresh')), INVALID_GRANT, 'which ended the session')
  t.equal(front.seen.length, 3, 'nothing is tried twice')
  await open('stranger', { clientSecret: 'wrong' })
  const refused = await readRefusal(ask('refresh', { name: 'stranger' }))
  t.match(refused, /^RefreshError: invalid_client: /)
})

test('google-auth (Python): a lost answer is an error, and can be asked for again', async (t) => {
  const { front, tokens } = await startLogin(t)
  front.loseNext()
  t.match(await readRefusal(ask('refresh')), /^TransportError: /)
  t.equal(front.seen.length, 1, 'not by itself')
  t.not((await ask('refresh')).refreshToken, tokens.refresh_token)
  t.equal(front.seen[1]?.form.refresh_token, tokens.refresh_token)
})

test('google-auth (Python): two threads refresh twice, within the grace', async (t) => {
  const { front } = await startLogin(t)
  await ask('refreshByTwoThreads')
  t.equal(front.seen.length, 2, 'nothing keeps one from doing so')
  t.ok((await ask('refresh')).valid, 'and the session goes on')
})

test('google-auth (Python): its session refreshes before the end and after a 401', async (t) => {
  const input = { audiences: [], scopes: [], defaultScopes: [] }
  const { scene, front, client } = await startLogin(t, { input })
  const url = `${scene.issuer}/users/me`
  t.match(await ask('get', { url }), { status: 200, valid: true })
  const { token, status } = await ask('get', { url })
  t.equal(status, 200)
  t.equal(front.seen.length, 1, 'one for both')
  const about = { token, client_id: client.id, client_secret: client.secret }
  t.equal((await scene.form('/revoke', about)).status, 200)
  t.equal((await ask('get', { url })).status, 200)
  t.equal(front.seen.length, 2)
  t.equal((await ask('get', { url: `${scene.issuer}/admin/users` })).status, 403)
  t.equal(front.seen.length, 2, 'a 403 is no reason')

  const short = await startLogin(t, { config: { accessTokenTtlSeconds: 300 }, input })
  const shortUrl = `${short.scene.issuer}/users/me`
  t.match(await ask('get', { url: shortUrl }), { status: 200, valid: false })
  t.match(await ask('get', { url: shortUrl }), { status: 200 })
  t.equal(short.front.seen.length, 2, 'what has five minutes is expired to it')
})

test('google-auth (Python): an API that always says 401 costs two refreshes', async (t) => {
  const { scene, front } = await startLogin(t)
  // The token is for another API than this one.
  t.equal((await ask('get', { url: `${scene.issuer}/users/me` })).status, 401)
  t.equal(front.seen.length, 3, 'and the first one')
})

test('google-auth (Python): a public client needs a secret that is empty', async (t) => {
  const { scene, front, open } = await startLogin(t)
  const { id } = await scene.makeClient({})
  const { refresh_token: refreshToken } = await logIn(scene, { id }, await scene.makeUser())
  await open('none', { clientId: id, clientSecret: null, refreshToken })
  const refused = await readRefusal(ask('refresh', { name: 'none' }))
  t.match(refused, /^RefreshError: The credentials do not contain the necessary fields/)
  t.equal(front.seen.length, 0)
  await open('empty', { clientId: id, clientSecret: '', refreshToken })
  t.ok((await ask('refresh', { name: 'empty' })).valid)
  const info = { client_id: id, client_secret: '', refresh_token: refreshToken }
  const uri = await program.ask({
    do: 'tokenUriOfFile',
    info: { ...info, token_uri: `${front.url}/token` },
  })
  t.equal(uri, 'https://oauth2.googleapis.com/token', 'whatever a file says')
})

async function openVerifier(t: Test, signingAlg: SigningAlg) {
  t.teardown(program.close)
  const scene = await startScene(t, { config: { signingAlgs: [signingAlg] } })
  const keys = await readKeys(scene)
  const verify = (token: string) => program.ask({ do: 'verify', token, keys, audience: API })
  return {
    scene,
    verify,
    issue: async () => issueToken(scene, await makeConfidentialClient(scene)),
  }
}

test('google-auth (Python): verifies RS256 alone', async (t) => {
  for (const signingAlg of ['RS256', 'ES256', 'EdDSA', 'PS256'] as const) {
    const { scene, verify, issue } = await openVerifier(t, signingAlg)
    const verified = verify(await issue())
    if (signingAlg === 'RS256') t.match(await verified, { iss: scene.issuer, aud: API })
    else t.match(await readRefusal(verified), /^(TypeError|ValueError): /, signingAlg)
  }
})

test('google-auth (Python): refuses bad tokens, but not for their issuer', async (t) => {
  const { scene, verify, issue } = await openVerifier(t, 'RS256')
  const good = await issue()
  const { 'from another issuer': foreign, ...bad } = await makeBadTokens(t, scene, good)
  t.match(await verify(foreign), { iss: 'https://impostor.example.test' })
  for (const [kind, token] of Object.entries(bad)) {
    t.match(await readRefusal(verify(token)), /^ValueError: /, kind)
  }
  const date = startSteppedDate(t)
  date.step(-601)
  const expired = await issue()
  date.stop()
  t.match(await verify(expired), { aud: API }, 'an expired one passes for five minutes')
})

async function readKeys(scene: Scene): Promise<Record<string, string>> {
  const { keys } = (await (await scene.fetch('/.well-known/jwks.json')).json()) as { keys: JWK[] }
  const toPem = (key: JWK) =>
    createPublicKey({ key: { ...key }, format: 'jwk' }).export({
      // The one that the library reads with and without python3-cryptography.
      type: key.kty === 'RSA' ? 'pkcs1' : 'spki',
      format: 'pem',
    })
  return Object.fromEntries(keys.map((key) => [key.kid ?? '', String(toPem(key))]))
}

test('google-auth (Python): its line in docs/integrations.md says the same', async (t) => {
  t.teardown(program.close)
  t.match(readTable('Programs').get('google-auth (Python)'), {
    Version: await program.ask({ do: 'version' }),
    As: 'client; verifier of RS256',
  })
})
