// Cookie mode of /verify (docs/semantics.md §9, §10): the access cookie stands in for a missing
// Authorization header, where the gateway says so, and only from a page of the cookie's client
// where that matters.

import { type Test, test } from 'tap'
import {
  FOREIGN,
  ORIGIN,
  openBrowserScene,
  readSetCookies,
} from '../../scenes/browser-client-scene.ts'
import { identityOf } from '../../scenes/verify-scene.ts'
import { logIn } from '../../support/app.ts'
import { exchange } from '../../support/hostile-wire.ts'

type Options = Parameters<typeof openBrowserScene>[2]

async function openScene(t: Test, options: Options = {}) {
  const scene = await openBrowserScene(t, { accessTokenCookie: true }, options)
  const { app, accessName } = scene
  const token = readSetCookies(await scene.logIn())[accessName]?.value ?? ''
  const cookie = `${accessName}=${token}`
  async function status(
    headers: Record<string, string>,
    method = 'GET',
    path = '/verify?cookie=1',
  ) {
    return (await app.fetch(path, { method, headers })).status
  }
  return { ...scene, token, cookie, status }
}

test('the cookie counts where the gateway says so, and nowhere else', async (t) => {
  const { app, user, client, cookie, status } = await openScene(t)
  const answer = await app.fetch('/verify?cookie=1', { headers: { cookie: `a=b; ${cookie};c=d` } })
  t.equal(answer.status, 200)
  t.strictSame(identityOf(answer).slice(1, 4), ['user', client.id, 'read'])
  t.match(answer.headers.get('x-auth-subject'), /^[0-9a-f-]{36}$/, user.username)
  t.equal(answer.headers.get('set-cookie'), null)
  t.equal(await status({ cookie, 'x-auth-cookie': '1' }, 'GET', '/verify/x'), 200)
  t.equal(await status({ cookie }, 'GET', '/verify?cookie=1&scope=write'), 403)

  t.equal(await status({ cookie }, 'GET', '/verify'), 401)
  t.equal(await status({ cookie, 'x-auth-cookie': '1' }, 'GET', '/verify'), 401)
  t.equal(await status({ cookie }, 'GET', '/verify/x'), 401)
  t.equal(await status({ cookie }, 'GET', '/verify/x?cookie=1'), 401)
  const none = await app.fetch('/verify?cookie=1', { headers: { cookie: 'a=b' } })
  t.equal(none.headers.get('www-authenticate'), 'Bearer', 'no cookie is no token')
})

test('of more cookies than a browser keeps none is read', async (t) => {
  const { accessName, cookie, status } = await openScene(t)
  const many = (count: number) => Array.from({ length: count }, (_, index) => `c${index}=`)
  t.equal(await status({ cookie: [...many(255), cookie].join(';') }), 200)
  t.equal(await status({ cookie: [...many(256), cookie].join(';') }), 401)
  const second = [cookie, ...many(256), `${accessName}=x`].join(';')
  t.equal(await status({ cookie: second }), 401, 'or the second of one name would not be seen')
})

test('a request with an Authorization header is judged by that alone', async (t) => {
  const { app, cookie, token, status } = await openScene(t)
  const body = await app.makeClient({})
  const { access_token: other } = await logIn(app, body, await app.makeUser())
  const headers = { cookie, authorization: `Bearer ${other}` }
  const answer = await app.fetch('/verify?cookie=1', { headers })
  t.equal(answer.headers.get('x-auth-client'), body.id)
  for (const authorization of ['Bearer x', 'Bearer', 'Basic eDp5', `Bearer ${token}x`]) {
    t.equal(await status({ cookie, authorization }), 401, authorization)
  }
  t.equal(await status({ cookie: 'a=b', authorization: `Bearer ${other}` }, 'POST'), 200, 'no page')
})

test('two access cookies are none, and a name that is not quite right is no cookie', async (t) => {
  const { app, accessName, cookie, token, status } = await openScene(t)
  const other = await app.makeClient({
    tokenDelivery: 'cookie',
    accessTokenCookie: true,
    allowedOrigins: [ORIGIN],
  })
  const otherName = `__Host-lineage_access-${other.id}`
  for (const two of [
    `${cookie}; ${cookie}`,
    `${cookie}; ${accessName}=x`,
    `${accessName}=; ${cookie}`,
    `${cookie}; ${otherName}=x`,
    `__Host-lineage_access-=x; ${cookie}`,
  ]) {
    t.equal(await status({ cookie: two }), 401, two.slice(0, 60))
  }
  const reasons = app.log.map(({ reason }) => reason).filter((reason) => reason !== undefined)
  t.strictSame(new Set(reasons), new Set(['cookie_ambiguous']))
  for (const name of [
    accessName.replace('__Host-', ''),
    accessName.toLowerCase().replace('__host-', '__HOST-'),
    accessName.replace('access', 'refresh'),
    `x${accessName}`,
  ]) {
    t.equal(await status({ cookie: `${name}=${token}` }), 401, name)
    t.equal(await status({ cookie: `${name}=x; ${cookie}` }), 200, `${name} beside it`)
  }
})

test('blanks around a name are a space or a tab, as they are to a browser', async (t) => {
  const { app, cookie } = await openScene(t)
  // U+00A0 in latin1: to a browser such a name does not begin with __Host-, so anybody may set it.
  for (const [line, status] of [
    [`a=b; \t ${cookie} \t;c=d`, 200],
    [`a=b; \u00a0${cookie}`, 401],
    [`\u00a0${cookie}; ${cookie}`, 200],
  ] as const) {
    const head = `GET /verify?cookie=1 HTTP/1.1\r\nHost: x\r\nCookie: ${line}\r\nConnection: close`
    const [answer] = await exchange(app.url, `${head}\r\n\r\n`)
    t.equal(answer?.status, status, JSON.stringify(line.slice(0, 24)))
  }
})

test('the Cookie header sent twice is read as one (RFC 9113 §8.2.3)', async (t) => {
  const { app, cookie } = await openScene(t)
  for (const [lines, status] of [
    [[`Cookie: ${cookie}`, 'cookie: a=b'], 200],
    [[`Cookie: ${cookie}`, `Cookie: ${cookie}`], 401],
  ] as const) {
    const head = ['GET /verify?cookie=1 HTTP/1.1', 'Host: x', ...lines, 'Connection: close']
    const [answer] = await exchange(app.url, `${head.join('\r\n')}\r\n\r\n`)
    t.equal(answer?.status, status)
  }
})

test('the cookie is the named client’s own, which has such cookies', async (t) => {
  const { app, client, accessName, cookie, token, status } = await openScene(t)
  const body = await app.makeClient({})
  const { access_token: other } = await logIn(app, body, await app.makeUser())
  t.equal(await status({ cookie: `${accessName}=${other}` }), 401, 'a token of another client')
  t.equal(
    await status({ cookie: `__Host-lineage_access-${body.id}=${other}` }),
    401,
    'a body client',
  )
  t.equal(await status({ cookie: `__Host-lineage_access-${body.id}=${token}` }), 401)
  t.equal(await status({ cookie: `__Host-lineage_access-=${token}` }), 401)
  t.equal(await status({ cookie }), 200)
  await app.admin('PATCH', `/admin/clients/${client.id}`, { accessTokenCookie: false })
  t.equal(await status({ cookie }), 401, 'not since it has lost them')
  t.equal(await status({ authorization: `Bearer ${token}` }), 200, 'the token is good all the same')
})

test('an unsafe method needs an Origin of the client', async (t) => {
  const { app, cookie, status } = await openScene(t)
  const forwarded = (method: string) => ({ cookie, 'x-forwarded-method': method })
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    t.equal(await status({ cookie }, method), 200, method)
    t.equal(await status(forwarded(method)), 200, `for ${method}`)
    t.equal(await status({ ...forwarded(method), origin: FOREIGN }), 200, 'SameSite sees to those')
  }
  const unsafe = ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'QUERY', 'TRACE', 'get', 'GET, GET']
  for (const method of [...unsafe, 'X', '', '__proto__']) {
    t.equal(await status(forwarded(method)), 401, `for ${method}`)
    for (const origin of [FOREIGN, 'null', '', `${ORIGIN}/`, `${ORIGIN}, ${ORIGIN}`, '*']) {
      t.equal(await status({ ...forwarded(method), origin }), 401, `${method} from ${origin}`)
    }
    t.equal(await status({ ...forwarded(method), origin: ORIGIN }), 200, `${method} from its page`)
  }
  t.equal(await status({ cookie }, 'POST'), 401, 'its own method where none is forwarded')
  t.equal(await status({ cookie, origin: ORIGIN }, 'POST'), 200)
  t.equal(await status(forwarded('GET'), 'POST'), 401, 'a caller cannot talk its method down')
  t.equal(app.log.filter(({ reason }) => reason === 'cookie_origin_not_allowed').length > 0, true)
})

test('a WebSocket needs an Origin of the client too', async (t) => {
  const { app, cookie } = await openScene(t)
  for (const [origin, status] of [
    [`Origin: ${ORIGIN}`, 200],
    [`Origin: ${FOREIGN}`, 401],
    ['Accept: */*', 401],
  ] as const) {
    const head = [
      'GET /verify?cookie=1 HTTP/1.1',
      'Host: x',
      `Cookie: ${cookie}`,
      origin,
      'Upgrade: WebSocket',
      'Connection: Upgrade, close',
    ]
    const [answer] = await exchange(app.url, `${head.join('\r\n')}\r\n\r\n`)
    t.equal(answer?.status, status, origin)
  }
})

test('with a plain http issuer the name has no prefix, and one with it is no cookie', async (t) => {
  const { accessName, cookie, status } = await openScene(t, {
    config: { issuer: 'http://localhost:3000' },
  })
  t.match(accessName, /^lineage_access-/)
  t.equal(await status({ cookie }), 200)
  t.equal(await status({ cookie: `__Host-${cookie}` }), 401)
})
