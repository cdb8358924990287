// The same request through the front and through the router: the same answer, the same log. A body
// in chunks, or the announcement of an empty one, makes a request that only the router takes.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Test, test } from 'tap'
import { API, openVerifyScene } from '../../scenes/verify-scene.ts'
import { type LogLine, logIn, type TestApp } from '../../support/app.ts'
import { basic, exchange, FORM, write } from '../../support/hostile-wire.ts'
import { until } from '../../support/until.ts'

const ORIGIN = 'https://app.example.test'
const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g
const REFRESH_TOKEN = /lrt_[\w-]+/g

interface Shown {
  readonly status: number | undefined
  readonly headers: readonly string[]
  readonly body: string
  readonly log: readonly object[]
}

/** What may differ between two requests is left out; tokens differ by their time. */
async function show(app: TestApp, bytes: Buffer, id: string): Promise<Shown> {
  const [answer] = await exchange(app.url, bytes)
  const isOfIt = (line: LogLine) => line.reqId === id
  await until('its line', () =>
    app.log.find((line) => isOfIt(line) && line.event === 'request.completed'),
  )
  const { date: _, 'x-request-id': sentId, 'content-length': __, ...sent } = answer?.headers ?? {}
  if (sentId !== id) throw new Error(`the id came back as ${sentId}`)
  const headers = Object.entries(sent).map(([name, value]) => `${name}: ${hideTokens(value)}`)
  const body = hideTokens(answer?.body ?? '').replace(`"requestId":"${id}"`, '"requestId":"ID"')
  const log = app.log
    // What a request causes depends on what was before it.
    .filter((line) => isOfIt(line) && line.event.startsWith('request.'))
    .map(({ time, reqId, durationMs, ...line }) => ({ ...line, isTimed: durationMs !== undefined }))
  return { status: answer?.status, headers: headers.sort(), body, log }
}

function hideTokens(text: string): string {
  return text.replace(JWT, 'JWT').replace(REFRESH_TOKEN, 'RT')
}

let asked = 0

async function compare(t: Test, app: TestApp, what: string, asks: (headers: string[]) => Buffer[]) {
  asked += 1
  const shown: Shown[] = []
  const [front, router] = [`front-${asked}`, `router-${asked}`]
  const [plain] = asks([`X-Request-Id: ${front}`])
  const [, odd] = asks([`X-Request-Id: ${router}`])
  if (!plain || !odd) throw new Error('two forms of the request are needed')
  shown.push(await show(app, plain, front), await show(app, odd, router))
  t.strictSame(shown[0], shown[1], what)
  return shown[0]
}

/** A form with its length, and in one chunk. */
const form =
  (start: string, body: string, ...headers: string[]) =>
  (ids: string[]): Buffer[] => {
    const all = [FORM, ...headers, ...ids]
    const size = Buffer.byteLength(body).toString(16)
    const chunked = Buffer.concat([
      write(`POST ${start}`, [...all, 'Transfer-Encoding: chunked']),
      Buffer.from(body === '' ? '0\r\n\r\n' : `${size}\r\n${body}\r\n0\r\n\r\n`),
    ])
    return [write(`POST ${start}`, all, body), chunked]
  }

/** A GET without a body, and with an empty one. */
const read =
  (target: string, ...headers: string[]) =>
  (ids: string[]): Buffer[] => [
    write(`GET ${target}`, [...headers, ...ids]),
    write(`GET ${target}`, [...headers, ...ids], ''),
  ]

async function openScene(t: Test) {
  const scene = await openVerifyScene(t)
  const { app } = scene
  const service = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['a', 'lineage:introspect'],
  })
  const page = await app.makeClient({
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
    allowedOrigins: [ORIGIN],
    tokenDelivery: 'cookie',
  })
  const { refresh_token: refreshToken } = await logIn(app, scene.client, scene.user)
  const auth = `client_id=${service.id}&client_secret=${service.secret}`
  return { ...scene, service, page, auth, refreshToken }
}

test('a form is answered alike by both', async (t) => {
  const { app, client, user, service, page, auth, token, refreshToken } = await openScene(t)
  const grant = `grant_type=client_credentials&${auth}`
  const own = `client_id=${client.id}&client_secret=${client.secret}`
  const login = `grant_type=password&${own}&username=${user.username}&password=${user.password}`
  const forms: Record<string, (ids: string[]) => Buffer[]> = {
    'a token': form('/token', grant),
    'a token by Basic': form(
      '/token',
      'grant_type=client_credentials',
      basic(`${service.id}:${service.secret}`),
    ),
    'a narrower token': form('/token', `${grant}&scope=a`),
    'a login': form('/token', login),
    'a wrong password': form('/token', `${login}x`),
    'a refresh': form('/token', `grant_type=refresh_token&${own}&refresh_token=${refreshToken}`),
    'no refresh token': form('/token', `grant_type=refresh_token&${own}&refresh_token=x`),
    'no parameter': form('/token', 'a=b'),
    'two of one': form('/token', `${grant}&${grant}`),
    'a bad escape': form('/token', 'a=%zz'),
    'bytes that are no text': form('/token', 'a=%ff'),
    'another grant': form('/token', `grant_type=x&${auth}`),
    'a wrong secret': form('/token', `${grant}x`),
    'no client': form('/token', 'grant_type=client_credentials'),
    'two mechanisms': form('/token', grant, basic('a:b')),
    'two Authorization headers': form('/token', grant, basic('a:b'), basic('a:b')),
    'an unknown scope': form('/token', `${grant}&scope=nothing`),
    'a trace': form(
      '/token',
      grant,
      'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    ),
    'an Origin that may call': form('/token', grant, `Origin: ${ORIGIN}`),
    'an Origin that may not': form('/token', grant, 'Origin: https://evil.example.test'),
    'a page without a cookie': form(
      '/token',
      `grant_type=refresh_token&client_id=${page.id}`,
      `Origin: ${ORIGIN}`,
    ),
    'a page whose login sets cookies': form(
      '/token',
      `grant_type=password&client_id=${page.id}&username=${user.username}&password=${user.password}`,
      `Origin: ${ORIGIN}`,
    ),
    'a live token': form('/introspect', `${auth}&token=${token}`),
    'a dead token': form('/introspect', `${auth}&token=${token}x`),
    'no token': form('/introspect', auth),
    'a public client': form('/introspect', `client_id=${page.id}&token=x`),
    'a revocation': form('/revoke', `${auth}&token=x`),
    'a revocation of nothing': form('/revoke', auth),
  }
  const statuses = new Set<number | undefined>()
  for (const [what, asks] of Object.entries(forms)) {
    statuses.add((await compare(t, app, what, asks))?.status)
  }
  t.strictSame([...statuses].sort(), [200, 400, 401])
})

test('a document is answered alike by both', async (t) => {
  const { app } = await openScene(t)
  const jwks = '/.well-known/jwks.json'
  const etag = (await app.fetch(jwks)).headers.get('etag') ?? ''
  const answers = [
    await compare(t, app, 'JWKS', read(jwks)),
    await compare(t, app, 'JWKS that is known', read(jwks, `If-None-Match: "x", W/${etag}`)),
    await compare(
      t,
      app,
      'JWKS that is not',
      read(jwks, 'If-None-Match: "x"', `Origin: ${ORIGIN}`),
    ),
    await compare(t, app, 'metadata', read('/.well-known/oauth-authorization-server')),
    await compare(t, app, 'OpenID', read('/.well-known/openid-configuration')),
  ]
  t.strictSame(
    answers.map(({ status } = {} as Shown) => status),
    [200, 304, 200, 200, 200],
  )
})

test('/verify is answered alike by both', async (t) => {
  const { app, token } = await openScene(t)
  const bearer = `Authorization: Bearer ${token}`
  const targets = [
    '/verify',
    `/verify?aud=${API}`,
    '/verify?scope=none',
    '/verify?x=%zz',
    '/verify/a/%zz?b',
  ]
  for (const target of targets) {
    await compare(t, app, target, read(target, bearer))
    await compare(t, app, `${target} without a token`, read(target))
    await compare(t, app, `${target} with a bad one`, read(target, `${bearer}x`))
    await compare(t, app, `${target} with two`, read(target, bearer, bearer))
  }
  await compare(t, app, 'a demand in a header', read('/verify/', bearer, 'X-Auth-Audience: x'))
})

test('plain requests never reach the router, others do', async (t) => {
  const { app, auth } = await openScene(t)
  let routed = 0
  const count = () => {
    routed += 1
  }
  subscribe('tracing:fastify.request.handler:start', count)
  t.teardown(() => unsubscribe('tracing:fastify.request.handler:start', count))
  const requests: Record<string, (ids: string[]) => Buffer[]> = {
    '/token': form('/token', `grant_type=client_credentials&${auth}`),
    '/introspect': form('/introspect', `${auth}&token=x`),
    '/revoke': form('/revoke', `${auth}&token=x`),
    '/.well-known/jwks.json': read('/.well-known/jwks.json'),
    '/.well-known/openid-configuration': read('/.well-known/openid-configuration'),
  }
  for (const [what, asks] of Object.entries(requests)) {
    const [plain, odd] = asks([])
    routed = 0
    await exchange(app.url, plain ?? '')
    t.equal(routed, 0, `${what}: plain`)
    await exchange(app.url, odd ?? '')
    t.equal(routed, 1, `${what}: not plain`)
  }
})

test('what is out of the ordinary is refused as before', async (t) => {
  const { app, auth } = await openScene(t)
  const grant = `grant_type=client_credentials&${auth}`
  const odd: readonly [string, number, Buffer][] = [
    ['a parameter in the URL', 400, write(`POST /token?client_id=x`, [FORM], grant)],
    ['two hosts', 400, write('POST /token', ['Host: other.test', FORM], grant)],
    ['another media type', 400, write('POST /token', ['Content-Type: text/plain'], grant)],
    ['two media types', 400, write('POST /token', [FORM, FORM], grant)],
    ['an empty body', 400, write('POST /token', [FORM], '')],
    ['a large body', 413, write('POST /token', [FORM], `a=${'x'.repeat(17_000)}`)],
    ['another method', 405, write('PUT /token', [FORM], grant)],
    ['another path', 404, write('POST /token/', [FORM], grant)],
    ['another method for a document', 405, write('POST /.well-known/jwks.json', [], '')],
  ]
  for (const [what, status, bytes] of odd) {
    const [answer] = await exchange(app.url, bytes)
    t.equal(answer?.status, status, what)
    t.equal(answer?.headers['cache-control'], 'no-store', what)
  }
})
