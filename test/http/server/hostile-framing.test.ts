// What reaches the service as bytes rather than as a request: framing, doubled headers, odd targets
// and methods. Each gets one clean answer, and the next request is served as if nothing had been.

import { test } from 'tap'
import { SERVER_OPTIONS } from '../../../src/http/server/server-options.ts'
import { ADMIN, startApp } from '../../support/app.ts'
import {
  basic,
  exchange,
  FORM,
  isOAuthRefusal,
  isProblem,
  JSON_TYPE,
  readJson,
  write,
} from '../../support/hostile-wire.ts'

const GOOD = basic(`${ADMIN.id}:${ADMIN.secret}`)
const BODY = 'grant_type=client_credentials'

async function adminToken(url: string): Promise<string> {
  const [answer] = await exchange(url, write('POST /token', [FORM, GOOD], BODY))
  return String(readJson(answer).access_token)
}

test('two Authorization headers are two mechanisms, whichever is good (C24)', async (t) => {
  const { url, log } = await startApp(t)
  for (const two of [
    [GOOD, basic('x:y')],
    [basic('x:y'), GOOD],
    [GOOD, GOOD.toUpperCase().replace(/BASIC.*/, 'Bearer x')],
    [GOOD, 'authorization:'],
    [GOOD, ...Array.from({ length: 2_500 }, () => 'a:'), GOOD],
  ]) {
    for (const path of ['/token', '/revoke', '/introspect']) {
      const answers = await exchange(url, write(`POST ${path}`, [FORM, ...two], `${BODY}&token=x`))
      t.equal(answers[0]?.status, 400)
      t.equal(readJson(answers[0]).error, 'invalid_request')
      isOAuthRefusal(t, answers[0], path)
    }
  }
  t.equal(log.filter((line) => line.reason === 'client_two_mechanisms').length, 15)
})

test('two Authorization headers are no bearer token (C107)', async (t) => {
  const { url } = await startApp(t)
  const bearer = `Authorization: Bearer ${await adminToken(url)}`
  t.equal((await exchange(url, write('GET /admin/keys', [bearer])))[0]?.status, 200)
  for (const two of [
    [bearer, 'Authorization: Bearer x'],
    ['Authorization: Bearer x', bearer],
    [bearer, bearer],
  ]) {
    const [answer] = await exchange(url, write('GET /admin/keys', two))
    t.equal(answer?.status, 401)
    t.match(answer?.headers['www-authenticate'], /^Bearer/)
    isProblem(t, answer, 'two bearers')
  }
})

test('a doubled Content-Type is none that is read', async (t) => {
  const { url } = await startApp(t)
  const bearer = `Authorization: Bearer ${await adminToken(url)}`
  const [form] = await exchange(url, write('POST /token', [FORM, JSON_TYPE, GOOD], BODY))
  t.equal(form?.status, 400)
  isOAuthRefusal(t, form, 'form')
  const [json] = await exchange(
    url,
    write('POST /admin/clients', [JSON_TYPE, FORM, bearer], '{"name":"x"}'),
  )
  t.equal(json?.status, 415)
  isProblem(t, json, 'JSON')
})

test('bodies in chunks, after 100-continue and without any length are read the same', async (t) => {
  const { url } = await startApp(t)
  const head = `POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${FORM}\r\n${GOOD}\r\n`
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n5\r\ngrant\r\n18\r\n${BODY.slice(5)}\r\n0\r\n\r\n`
  t.equal((await exchange(url, chunked))[0]?.status, 200)
  const continued = write('POST /token', [FORM, GOOD, 'Expect: 100-continue'], BODY)
  t.equal((await exchange(url, continued))[0]?.status, 200)
  const other = write('POST /token', [FORM, GOOD, 'Expect: evil'], BODY)
  t.equal((await exchange(url, other))[0]?.status, 200, 'an unknown expectation is ignored')
  const [none] = await exchange(url, `${head}\r\n`)
  t.equal(none?.status, 400)
  isOAuthRefusal(t, none, 'no length')
  const http10 = `POST /token HTTP/1.0\r\n${FORM}\r\n${GOOD}\r\nContent-Length: 29\r\n\r\n${BODY}`
  t.equal((await exchange(url, http10))[0]?.status, 200, 'HTTP/1.0')
})

test('a body that is too large closes the connection, told or not (C9)', async (t) => {
  const { url } = await startApp(t)
  const bearer = `Authorization: Bearer ${await adminToken(url)}`
  const large = 'a'.repeat(70 * 1024)
  const chunks = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
  for (const [path, headers, check] of [
    ['/token', [FORM], isOAuthRefusal],
    ['/admin/clients', [JSON_TYPE, bearer], isProblem],
  ] as const) {
    const head = [`POST ${path} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')
    for (const rest of [
      '\r\nContent-Length: 999999\r\n\r\n',
      `\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    ]) {
      const [answer] = await exchange(url, head + rest)
      t.equal(answer?.status, 413, path)
      t.equal(answer?.headers.connection, 'close', path)
      check(t, answer, path)
    }
  }
})

test('what is not HTTP is 400 or 431 and ends the connection', async (t) => {
  const { url } = await startApp(t)
  const start = `POST /token HTTP/1.1\r\nHost: x\r\n${FORM}\r\n`
  const cases: [string, number, string][] = [
    ['two lengths', 400, `${start}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde`],
    ['length and chunks', 400, `${start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['an unknown coding', 400, `${start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a bad chunk', 400, `${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ['a negative length', 400, `${start}Content-Length: -1\r\n\r\n`],
    ['an endless length', 400, `${start}Content-Length: 99999999999999999999999\r\n\r\n`],
    ['NUL in a header', 400, 'GET /livez HTTP/1.1\r\nHost: x\r\nUser-Agent: a\0b\r\n\r\n'],
    ['NUL in the target', 400, 'GET /livez\0 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['bare line feeds', 400, 'GET /livez HTTP/1.1\nHost: x\n\n'],
    ['a folded header', 400, 'GET /livez HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n'],
    ['a space before the colon', 400, 'GET /livez HTTP/1.1\r\nHost : x\r\n\r\n'],
    ['an unknown method', 400, 'EVIL /livez HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'headers too large',
      431,
      `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    ],
  ]
  for (const [what, status, bytes] of cases) {
    const [answer] = await exchange(url, bytes)
    t.equal(answer?.status, status, what)
    t.equal(answer?.headers.connection, 'close', what)
    isProblem(t, answer, what)
  }
  t.equal((await exchange(url, write('GET /livez')))[0]?.status, 200)
})

test('requests in a pipeline are answered in their order, refused ones too', async (t) => {
  const { url } = await startApp(t)
  const keep = (start: string, body: string) =>
    `${start} HTTP/1.1\r\nHost: x\r\n${FORM}\r\n${GOOD}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const answers = await exchange(
    url,
    keep('POST /token', BODY) +
      keep('POST /revoke', 'evil') +
      keep('GET /livez', 'ignored') +
      keep('POST /nowhere', 'ignored') +
      keep('PUT /token', 'ignored') +
      write('GET /livez').toString(),
  )
  t.strictSame(
    answers.map((answer) => answer.status),
    [200, 400, 200, 404, 405, 200],
  )
})

test('targets mean what they say and nothing near it', async (t) => {
  const { url } = await startApp(t)
  const status = async (target: string) =>
    (await exchange(url, write(`POST ${target}`, [FORM, GOOD], BODY)))[0]?.status
  t.equal(await status('/token'), 200)
  for (const target of ['/token/', '/TOKEN', '/nowhere', 'token']) {
    t.not(await status(target), 200, target)
  }
  const [star] = await exchange(url, write('OPTIONS *'))
  t.equal(star?.status, 404)
  t.same(await exchange(url, write('CONNECT lineage.test:443')), [], 'CONNECT is not served')
})

test('two hosts are none, whichever is ours (RFC 9112 §3.2)', async (t) => {
  const { url } = await startApp(t)
  for (const [start, check] of [
    ['GET /livez', isProblem],
    ['GET /verify', isProblem],
    ['GET /nowhere', isProblem],
    ['POST /token', isOAuthRefusal],
  ] as const) {
    for (const second of ['Host: other.test', 'host: lineage.test', 'HOST:']) {
      const [answer] = await exchange(url, write(start, [second]))
      t.equal(answer?.status, 400, `${start}, ${second}`)
      check(t, answer, start)
    }
  }
})

test('a slow sender is cut off, and looked for often enough', async (t) => {
  const { app } = await startApp(t)
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = app.server
  t.strictSame(
    { headersTimeout, requestTimeout, timeout, keepAliveTimeout },
    { headersTimeout: 10_000, requestTimeout: 15_000, timeout: 30_000, keepAliveTimeout: 75_000 },
  )
  // Node compares with these only so often, every 30 s unless it is told.
  t.equal(SERVER_OPTIONS.http.connectionsCheckingInterval, 5_000)
})
