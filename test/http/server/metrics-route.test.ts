// GET /metrics: who may read it, in which of its two forms, and on which port.

import { test } from 'tap'
import { startApp } from '../../support/app.ts'

const OPENMETRICS = 'application/openmetrics-text'
const PROMETHEUS =
  `${OPENMETRICS};version=1.0.0,${OPENMETRICS};version=0.0.1;q=0.75,` +
  'text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
const STRANGER = '192.0.2.7'

test('without a port of its own it is for the machine itself, by the address of the socket', async (t) => {
  const { app } = await startApp(t, { config: { trustProxy: ['0.0.0.0/0'] } })
  for (const remoteAddress of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    const answer = await app.inject({ url: '/metrics', remoteAddress })
    t.equal(answer.statusCode, 200, remoteAddress)
    t.match(answer.headers, { 'content-type': /^text\/plain/, 'cache-control': 'no-store' })
    t.match(answer.body, /^lineage_build_info\{version="\d/m)
  }
  const id = { 'x-request-id': 'the-same' }
  const absent = await app.inject({ url: '/nothing', remoteAddress: STRANGER, headers: id })
  for (const remoteAddress of [STRANGER, '10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1']) {
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'TRACE'] as const) {
      const headers = { ...id, 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' }
      const url = '/metrics'
      const asked = { url, method: method as 'GET', remoteAddress, headers }
      const answer = await app.inject(asked)
      t.equal(answer.statusCode, 404, `${method} of ${remoteAddress}`)
      t.equal(answer.headers.allow, undefined)
      if (method === 'GET') t.equal(answer.body, absent.body, 'as any path that is not there')
    }
  }
  const forwarded = { 'x-forwarded-for': STRANGER }
  const local = { url: '/metrics', remoteAddress: '127.0.0.1', headers: forwarded }
  t.equal((await app.inject(local)).statusCode, 200, 'headers have no say')
})

test('LINEAGE_OPS_PORT has it for everybody, the public port for nobody', async (t) => {
  const operations = await startApp(t, { surface: 'operations' })
  const open = await operations.app.inject({ url: '/metrics', remoteAddress: STRANGER })
  t.equal(open.statusCode, 200)
  const index = await operations.app.inject('/')
  t.ok((index.json() as { paths: string[] }).paths.includes('/metrics'))
  const shared = await startApp(t, { surface: 'public', beside: operations })
  const asked = { url: '/metrics', remoteAddress: '127.0.0.1' }
  t.equal((await shared.app.inject(asked)).statusCode, 404)
})

test('OpenMetrics is for whoever prefers it', async (t) => {
  const { app } = await startApp(t)
  for (const [accept, isOpen] of [
    [PROMETHEUS, true],
    [`text/plain, ${OPENMETRICS}`, true],
    [`text/plain, ${OPENMETRICS};q=0.9`, false],
    [`${OPENMETRICS};q=0`, false],
    [`${OPENMETRICS};q=nothing`, false],
    ['*/*', false],
    ['', false],
  ] as const) {
    const { headers, body } = await app.inject({ url: '/metrics', headers: { accept } })
    const type = isOpen ? `${OPENMETRICS}; version=1.0.0` : 'text/plain; version=0.0.4'
    t.equal(headers['content-type'], `${type}; charset=utf-8`, accept)
    t.equal(body.endsWith('\n# EOF\n'), isOpen)
    const counter = isOpen
      ? '# TYPE lineage_refresh counter'
      : '# TYPE lineage_refresh_total counter'
    t.ok(body.includes(`${counter}\n`), 'its counters are named as it wants')
    t.match(body, /^lineage_refresh_total\{outcome="rotated"\} 0$/m)
  }
})
