// /token for clients whose tokens travel in cookies (docs/semantics.md §9): what is set, what is
// read, and how long it lives. Who may call is browser-origin.test.ts's matter.

import { decodeJwt } from 'jose'
import { test } from 'tap'
import { ORIGIN, openBrowserScene, readSetCookies } from '../../scenes/browser-client-scene.ts'
import { logIn, startApp, type TokenAnswer } from '../../support/app.ts'

const FLAGS = ['httponly', 'path=/', 'samesite=strict', 'secure']

test('a login gives the refresh token in a cookie only, the access token in the body', async (t) => {
  const scene = await openBrowserScene(t)
  const answer = await scene.logIn()
  t.equal(answer.status, 200)
  const cookies = readSetCookies(answer)
  t.strictSame(Object.keys(cookies), [scene.refreshName])
  t.match(scene.refreshName, /^__Host-lineage_refresh-c_/)
  const cookie = cookies[scene.refreshName]
  t.match(cookie?.value, /^lrt_[\w-]{94}$/)
  t.strictSame(cookie?.flags, FLAGS)
  t.equal(answer.headers.get('cache-control'), 'no-store', '(C11)')
  const body = (await answer.json()) as Record<string, unknown>
  const untils = ['refresh_token_expires_in', 'authorization_expires_in']
  const members = ['access_token', 'token_type', 'expires_in', 'scope', ...untils]
  t.strictSame(Object.keys(body), members, 'not the refresh token, but how long it is of use')
  t.notOk(JSON.stringify(body).includes('lrt_'))
})

test('a refresh reads the cookie, and sets the successor', async (t) => {
  const scene = await openBrowserScene(t)
  const login = await scene.logIn()
  const first = scene.cookieOf(login)
  const answer = await scene.refresh({ cookie: `theme=dark; ${first}; lineage_refresh-other=x` })
  t.equal(answer.status, 200)
  const second = scene.cookieOf(answer)
  t.not(second, first)
  t.strictSame(readSetCookies(answer)[scene.refreshName]?.flags, FLAGS)
  const [before, after] = [await login.json(), await answer.json()] as TokenAnswer[]
  t.equal(after?.refresh_token, undefined)
  t.equal(
    decodeJwt(after?.access_token ?? '').sid,
    decodeJwt(before?.access_token ?? '').sid,
    'the same session',
  )
  t.equal((await scene.refresh({ cookie: second })).status, 200)
})

test('two tabs that wake together are given the same cookie (C59)', async (t) => {
  const scene = await openBrowserScene(t)
  const cookie = scene.cookieOf(await scene.logIn())
  const answers = await Promise.all([1, 2, 3, 4].map(() => scene.refresh({ cookie })))
  t.strictSame(
    answers.map((answer) => answer.status),
    [200, 200, 200, 200],
  )
  t.equal(new Set(answers.map((answer) => scene.cookieOf(answer))).size, 1)
})

test('Max-Age is the idle time left, and never reaches past the absolute expiry', async (t) => {
  let nowMs = Date.now()
  const limits = {
    accessTokenTtlSeconds: 60,
    refreshIdleTtlSeconds: 1000,
    refreshAbsoluteTtlSeconds: 1500,
  }
  const scene = await openBrowserScene(t, limits, { clock: () => nowMs })
  const maxAgeOf = (answer: Response) => readSetCookies(answer)[scene.refreshName]?.maxAge ?? 0
  const login = await scene.logIn()
  t.ok(Math.abs(maxAgeOf(login) - 1000) <= 1)
  nowMs += 10_000
  const cookie = scene.cookieOf(login)
  const rotated = await scene.refresh({ cookie })
  t.ok(Math.abs(maxAgeOf(rotated) - 1000) <= 1)
  nowMs += 20_000
  t.ok(Math.abs(maxAgeOf(await scene.refresh({ cookie })) - 980) <= 1, 'a retry: what is left')
  nowMs += 870_000
  const late = await scene.refresh({ cookie: scene.cookieOf(rotated) })
  t.ok(Math.abs(maxAgeOf(late) - 600) <= 1, 'of 1500 seconds 900 have passed')
})

test('with accessTokenCookie the access token is in a cookie as well, as long as it lives', async (t) => {
  const scene = await openBrowserScene(t, { accessTokenCookie: true })
  const answer = await scene.logIn()
  const cookie = readSetCookies(answer)[scene.accessName]
  const body = (await answer.json()) as TokenAnswer
  t.match(scene.accessName, /^__Host-lineage_access-c_/)
  t.equal(cookie?.value, body.access_token, 'the body has it all the same')
  t.strictSame(cookie?.flags, FLAGS)
  t.equal(cookie?.maxAge, body.expires_in)
})

test('an access token that no browser keeps is given without its cookie, and that is told', async (t) => {
  const roles = Array.from({ length: 32 }, (_, index) => `${index}`.padStart(64, 'r'))
  const scopes = Array.from({ length: 8 }, (_, index) => `${index}`.padStart(120, 's'))
  const input = { accessTokenCookie: true, scopes, defaultScopes: scopes }
  const scene = await openBrowserScene(t, input)
  const { app, accessName, refreshName } = scene
  const small = await scene.logIn()
  const kept = readSetCookies(small)
  t.ok(kept[accessName]?.value, 'without roles it is kept')
  const id = sessionUserOf((await small.json()) as TokenAnswer)
  await app.admin('PATCH', `/admin/users/${id}`, { roles })
  const cookies = [refreshName, accessName].map((name) => `${name}=${kept[name]?.value}`)
  const answer = await scene.refresh({ cookie: cookies.join('; ') })
  t.equal(answer.status, 200)
  const { access_token: token } = (await answer.json()) as TokenAnswer
  t.ok(accessName.length + token.length > 4096)
  const set = readSetCookies(answer)
  t.match(set[accessName], { value: '', maxAge: 0 }, 'the one before does not go on')
  t.match(set[refreshName]?.value, /^lrt_/, 'the session does')
  const told = app.log.filter((line) => line.event === 'client.cookie_too_large')
  t.strictSame(
    told.map(({ clientId }) => clientId),
    [scene.client.id],
  )
  const next = await scene.refresh({ cookie: scene.cookieOf(answer) })
  t.strictSame(Object.keys(readSetCookies(next)), [refreshName], 'none that was not there')
})

test('the largest token without roles that a client with a cookie may ask for is kept', async (t) => {
  const largest = (bytes: number) => ({
    id: `a${'-'.repeat(62)}`,
    accessTokenCookie: true,
    scopes: ['s'.repeat(128)],
    audiences: ['a', 'b', 'c', 'd'].map((letter) => letter.repeat((bytes - 128 - 19) / 4)),
  })
  const scene = await openBrowserScene(
    t,
    { ...largest(2047), defaultScopes: ['s'.repeat(128)] },
    {
      config: { signingAlgs: ['RS256'] },
    },
  )
  const answer = await scene.logIn()
  t.equal(
    readSetCookies(answer)[scene.accessName]?.value,
    ((await answer.json()) as TokenAnswer).access_token,
  )
  const path = `/admin/clients/${scene.client.id}`
  const more = { scopes: ['s'.repeat(128), 'more'] }
  t.equal((await scene.app.admin('PATCH', path, more)).status, 422)
  t.equal((await scene.app.admin('PATCH', path, { ...more, accessTokenCookie: false })).status, 200)
})

/** The subject of an access token. */
function sessionUserOf({ access_token: token }: TokenAnswer): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return (JSON.parse(payload) as { sub: string }).sub
}

test('a refused cookie is cleared, and only what was sent', async (t) => {
  const scene = await openBrowserScene(t, { accessTokenCookie: true })
  const sent = [`${scene.refreshName}=forged`, `${scene.accessName}=old`]
  const both = await scene.refresh({ cookie: sent.join('; ') })
  t.equal(both.status, 400)
  t.match(await both.json(), { error: 'invalid_grant' })
  const cleared = readSetCookies(both)
  t.strictSame(Object.keys(cleared).sort(), [scene.accessName, scene.refreshName].sort())
  for (const cookie of Object.values(cleared)) {
    t.match(cookie, { value: '', maxAge: 0, flags: FLAGS }, 'with the flags it was set with')
  }
  const one = await scene.refresh({ cookie: sent[0] })
  t.strictSame(Object.keys(readSetCookies(one)), [scene.refreshName])
  const wrong = { grant_type: 'password', username: scene.user.username, password: 'not it' }
  const login = await scene.post('/token', wrong)
  t.match(await login.json(), { error: 'invalid_grant' })
  t.strictSame(login.headers.getSetCookie(), [], 'nothing was sent')
})

test('other refusals clear nothing', async (t) => {
  const scene = await openBrowserScene(t)
  const cookie = scene.cookieOf(await scene.logIn())
  const wide = { grant_type: 'refresh_token', scope: 'admin' }
  const answer = await scene.post('/token', wide, { cookie })
  t.match(await answer.json(), { error: 'invalid_scope' })
  t.strictSame(answer.headers.getSetCookie(), [])
  t.equal((await scene.refresh({ cookie })).status, 200)
})

test('without a cookie, or with an empty one, the parameter is missing', async (t) => {
  const scene = await openBrowserScene(t)
  const other = '__Host-lineage_refresh-c_aaaaaaaaaaaaaaaaaaaaaa=lrt_x'
  for (const cookie of [undefined, `${scene.refreshName}=`, `${scene.refreshName}`, other]) {
    const answer = await scene.refresh({ cookie })
    t.equal(answer.status, 400, String(cookie))
    t.match(await answer.json(), { error: 'invalid_request' })
  }
  t.equal(scene.app.log.filter((line) => line.reason === 'parameter_missing').length, 4)
})

test('a cookie that is sent for a body client is ignored, two of them too', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({ allowedOrigins: [ORIGIN] })
  const user = await app.makeUser()
  const { refresh_token: token } = await logIn(app, client, user)
  const name = `__Host-lineage_refresh-${client.id}`
  const form = { grant_type: 'refresh_token', client_id: client.id }
  const cookie = `${name}=${token}; ${name}=other`
  const alone = await app.form('/token', form, { cookie, origin: ORIGIN })
  t.equal(alone.status, 400)
  t.ok(app.log.some((line) => line.reason === 'parameter_missing'))
  const beside = await app.form('/token', { ...form, refresh_token: token }, { cookie })
  t.equal(beside.status, 200, 'without any Origin')
  t.strictSame(beside.headers.getSetCookie(), [])
  t.match(await beside.json(), { refresh_token: /^lrt_/ })
  const refused = await app.form('/token', { ...form, refresh_token: 'forged' }, { cookie })
  t.strictSame(refused.headers.getSetCookie(), [], 'nor cleared')
  const nothing = await app.form('/revoke', { client_id: client.id }, { cookie, origin: ORIGIN })
  t.equal(nothing.status, 400, '/revoke needs its token in the body')
})

test('a confidential client may keep its tokens in cookies, and authenticates all the same', async (t) => {
  const grantTypes = ['password', 'refresh_token', 'client_credentials'] as const
  const scene = await openBrowserScene(t, { type: 'confidential', grantTypes })
  const basic = Buffer.from(`${scene.client.id}:${scene.client.secret}`).toString('base64')
  const headers = { authorization: `Basic ${basic}` }
  const login = await scene.logIn({ headers })
  t.equal(login.status, 200)
  const cookie = scene.cookieOf(login)
  t.equal((await scene.refresh({ cookie })).status, 401, '(C28)')
  const form = { grant_type: 'refresh_token' }
  const byBasic = await scene.app.form('/token', form, { ...headers, cookie, origin: ORIGIN })
  t.equal(byBasic.status, 200, 'Basic alone names the client')
  const own = { grant_type: 'client_credentials' }
  t.equal((await scene.post('/token', own, { headers })).status, 200)
  t.equal((await scene.post('/token', own, { headers, origin: undefined })).status, 400)
})

test('with an http loopback issuer the names lose __Host- and the flag Secure', async (t) => {
  const config = { issuer: 'http://localhost:3000' }
  const scene = await openBrowserScene(t, { accessTokenCookie: true }, { config })
  const login = await scene.logIn()
  const cookies = readSetCookies(login)
  const { id } = scene.client
  t.strictSame(Object.keys(cookies), [`lineage_refresh-${id}`, `lineage_access-${id}`])
  for (const cookie of Object.values(cookies)) {
    t.strictSame(cookie.flags, ['httponly', 'path=/', 'samesite=strict'])
  }
  t.equal((await scene.refresh({ cookie: scene.cookieOf(login) })).status, 200)
})

test('an issuer with a path keeps Path=/, which __Host- asks for', async (t) => {
  const config = { issuer: 'https://auth.example.test/auth/v1' }
  const scene = await openBrowserScene(t, {}, { config })
  const login = await scene.logIn()
  t.strictSame(readSetCookies(login)[scene.refreshName]?.flags, FLAGS)
  t.equal((await scene.refresh({ cookie: scene.cookieOf(login) })).status, 200)
})
