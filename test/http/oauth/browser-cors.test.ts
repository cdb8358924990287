// What scripts of other origins may read (the CORS protocol, docs/semantics.md §9, C81).

import { test } from 'tap'
import { startApp, type TestApp } from '../../support/app.ts'

const APP = 'https://app.example.test'
const PLAIN = 'https://plain.example.test'
const FOREIGN = 'https://evil.example'

/** One client with cookies at APP, one without at PLAIN. */
async function openScene(t: Parameters<typeof startApp>[0]) {
  const app = await startApp(t, { config: { registration: 'open' } })
  const cookie = await app.makeClient({ tokenDelivery: 'cookie', allowedOrigins: [APP] })
  await app.makeClient({ allowedOrigins: [PLAIN] })
  return { app, cookie }
}

interface Cors {
  readonly origin: string | null
  readonly credentials: string | null
  readonly vary: string | null
}

function corsOf({ headers }: Response): Cors {
  return {
    origin: headers.get('access-control-allow-origin'),
    credentials: headers.get('access-control-allow-credentials'),
    vary: headers.get('vary'),
  }
}

function preflight(app: TestApp, path: string, origin: string, method = 'POST') {
  return app.fetch(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization',
    },
  })
}

const OPEN_TO_CLIENTS: [path: string, methods: string][] = [
  ['/token', 'POST'],
  ['/revoke', 'POST'],
  ['/users', 'POST'],
  ['/users/me', 'GET, HEAD'],
  ['/users/me/password', 'POST'],
]

test('origins of clients may read, with credentials only those of cookie clients', async (t) => {
  const { app } = await openScene(t)
  for (const [path] of OPEN_TO_CLIENTS) {
    for (const method of ['GET', 'POST']) {
      const ask = async (origin: string) =>
        corsOf(await app.fetch(path, { method, headers: { origin } }))
      const vary = 'Origin'
      t.strictSame(await ask(APP), { origin: APP, credentials: 'true', vary }, `${method} ${path}`)
      t.strictSame(await ask(PLAIN), { origin: PLAIN, credentials: null, vary })
      t.strictSame(await ask(FOREIGN), { origin: null, credentials: null, vary })
      t.strictSame(await ask('null'), { origin: null, credentials: null, vary })
    }
    t.equal((await app.fetch(path)).headers.get('vary'), 'Origin', 'also without an Origin')
  }
})

test('refusals can be read as well, and so can when to come back', async (t) => {
  const { app, cookie } = await openScene(t)
  const answer = await app.form('/token', { client_id: cookie.id }, { origin: APP })
  t.equal(answer.status, 400)
  t.equal(corsOf(answer).origin, APP)
  const exposed = answer.headers.get('access-control-expose-headers')
  t.equal(exposed, 'DPoP-Nonce, Retry-After, WWW-Authenticate')
  const me = await app.fetch('/users/me', { headers: { origin: APP } })
  t.equal(me.status, 401)
  t.equal(corsOf(me).origin, APP)
})

test('preflights are answered with the methods of the path', async (t) => {
  const { app } = await openScene(t)
  for (const [path, methods] of OPEN_TO_CLIENTS) {
    const answer = await preflight(app, path, APP)
    t.equal(answer.status, 204, path)
    t.strictSame(corsOf(answer), { origin: APP, credentials: 'true', vary: 'Origin' })
    t.equal(answer.headers.get('access-control-allow-methods'), methods)
    t.equal(
      answer.headers.get('access-control-allow-headers'),
      'Authorization, Content-Type, DPoP, X-Requested-With, X-Request-Id, traceparent, tracestate',
    )
    t.equal(answer.headers.get('access-control-max-age'), null, 'asked again after 5 s')
    t.equal(
      (await preflight(app, path, PLAIN)).headers.get('access-control-allow-credentials'),
      null,
    )
  }
})

test('OPTIONS that is no preflight, or a stranger’s, is a wrong method', async (t) => {
  const { app } = await openScene(t)
  const stranger = await preflight(app, '/token', FOREIGN)
  t.equal(stranger.status, 405)
  t.strictSame(corsOf(stranger), { origin: null, credentials: null, vary: 'Origin' })
  t.equal(stranger.headers.get('access-control-allow-methods'), null)
  const bare = await app.fetch('/token', { method: 'OPTIONS' })
  t.equal(bare.status, 405)
  t.equal(bare.headers.get('allow'), 'POST')
  t.match(await bare.json(), { error: 'invalid_request' })
  const noMethod = await app.fetch('/token', { method: 'OPTIONS', headers: { origin: APP } })
  t.equal(noMethod.status, 405)
})

test('keys and metadata are anybody’s, without credentials', async (t) => {
  const { app } = await openScene(t)
  for (const path of [
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
  ]) {
    for (const origin of [APP, FOREIGN, 'null']) {
      const answer = await app.fetch(path, { headers: { origin } })
      t.strictSame(corsOf(answer), { origin: '*', credentials: null, vary: null }, path)
      const asked = await preflight(app, path, origin, 'GET')
      t.equal(asked.status, 204)
      t.equal(asked.headers.get('access-control-allow-methods'), 'GET, HEAD')
    }
    t.equal((await app.fetch(path)).headers.get('access-control-allow-origin'), '*')
    t.equal((await app.fetch(path, { method: 'OPTIONS' })).status, 405)
  }
  const { headers } = await app.fetch('/.well-known/jwks.json')
  const known = { headers: { 'if-none-match': headers.get('etag') ?? '' } }
  const same = await app.fetch('/.well-known/jwks.json', known)
  t.equal(same.status, 304)
  t.equal(corsOf(same).origin, '*')
})

test('introspection, management and probes carry no CORS header for anybody', async (t) => {
  const { app } = await openScene(t)
  for (const path of ['/introspect', '/admin/users', '/admin/clients', '/livez', '/readyz', '/x']) {
    for (const method of ['GET', 'POST']) {
      const answer = await app.fetch(path, { method, headers: { origin: APP } })
      t.strictSame(corsOf(answer), { origin: null, credentials: null, vary: null }, path)
    }
    const asked = await preflight(app, path, APP)
    t.ok(asked.status >= 400, path)
    t.equal(corsOf(asked).origin, null)
  }
})

test('a client that comes, changes or goes is in force at once', async (t) => {
  const { app, cookie } = await openScene(t)
  const ask = async (origin: string) =>
    corsOf(await app.fetch('/users/me', { headers: { origin } }))
  t.equal((await ask(FOREIGN)).origin, null)
  const path = `/admin/clients/${cookie.id}`
  await app.admin('PATCH', path, { allowedOrigins: [FOREIGN] })
  t.match(await ask(FOREIGN), { origin: FOREIGN, credentials: 'true' })
  t.equal((await ask(APP)).origin, null)
  await app.admin('PATCH', path, { tokenDelivery: 'body' })
  t.match(await ask(FOREIGN), { origin: FOREIGN, credentials: null })
  await app.admin('DELETE', path)
  t.equal((await ask(FOREIGN)).origin, null)
})
