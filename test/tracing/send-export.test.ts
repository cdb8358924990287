// One batch on its way to a collector: sent again after what is temporary, given up after what is not, and
// at an end within its time whatever it is answered with.

import { type Test, test } from 'tap'
import { sendExport } from '../../src/tracing/send-export.ts'
import type { ExportTarget } from '../../src/tracing/telemetry-settings.ts'
import { LOCALHOST_CERTIFICATE } from '../support/localhost-certificate.ts'
import { startOtlpReceiver } from '../support/otlp-receiver.ts'
import { SWITCHING, startRawServer, writeForEver } from '../support/raw-server.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const BYTES = new TextEncoder().encode('"a batch"')
const never = new AbortController().signal

function targetAt(url: string, more: Partial<ExportTarget> = {}): ExportTarget {
  return {
    ...{ url: new URL(url), protocol: 'http/json', headers: { 'x-tenant': 'one' } },
    ...{ timeoutMs: 20_000, isCompressed: false, tls: {} },
    ...more,
  }
}

async function startCollector(t: Test, ...statuses: number[]) {
  const receiver = await startReceiver(t)
  receiver.answerWith((response) => {
    response.writeHead(statuses.shift() ?? 200, { 'retry-after': '0' }).end('{}')
  })
  return receiver
}

test('a batch is one POST with what is configured', async (t) => {
  const { url, received } = await startCollector(t)
  t.equal(await sendExport(targetAt(url), BYTES, never), undefined)
  t.match(received, [
    {
      path: '/hook',
      body: '"a batch"',
      headers: { 'x-tenant': 'one', 'content-type': 'application/json', 'content-length': '9' },
    },
  ])
})

test('it is compressed where that is configured', async (t) => {
  const { url, exports } = await startOtlpReceiver(t)
  const target = targetAt(url, { isCompressed: true, protocol: 'http/protobuf' })
  t.equal(await sendExport(target, BYTES, never), undefined)
  const [{ headers, body } = { headers: {}, body: Buffer.alloc(0) }] = exports
  t.match(headers, { 'content-encoding': 'gzip', 'content-type': 'application/x-protobuf' })
  t.equal(body.toString(), '"a batch"', 'unpacked')
})

test('a certificate is believed that is configured, and no other', async (t) => {
  const { url, answerWith } = await startRawServer(t, { isTls: true })
  answerWith('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const believed = targetAt(url, { tls: { ca: LOCALHOST_CERTIFICATE } })
  t.equal(await sendExport(believed, BYTES, never), undefined)
  t.match(await sendExport(targetAt(url, { timeoutMs: 500 }), BYTES, never), /CERT/)
})

test('what is temporary is tried again, as soon as the collector says', async (t) => {
  const { url, received } = await startCollector(t, 503, 429, 502)
  t.equal(await sendExport(targetAt(url), BYTES, never), undefined)
  t.equal(received.length, 4)
})

test('what is not is given up at once', async (t) => {
  for (const status of [400, 401, 404, 500, 302]) {
    const { url, received } = await startCollector(t, status)
    t.equal(await sendExport(targetAt(url), BYTES, never), `status_${status}`)
    t.equal(received.length, 1)
  }
})

test('an end comes whatever the answer is', async (t) => {
  const { url, answerWith } = await startRawServer(t)
  const target = targetAt(url, { timeoutMs: 300 })
  const cases: [string, Parameters<typeof answerWith>[0], RegExp][] = [
    ['another protocol', SWITCHING, /^failed$/],
    ['nothing', () => {}, /^timeout$/],
    ['no HTTP', 'hello\r\n', /^HPE_/],
    ['an end', (socket) => socket.end(), /^ECONNRESET$/],
    [
      'a body that drips',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx'),
      /^timeout$/,
    ],
  ]
  for (const [what, answer, problem] of cases) {
    answerWith(answer)
    t.match(await sendExport(target, BYTES, never), problem, what)
  }
})

test('of a long answer the beginning is enough', async (t) => {
  const { url, answerWith } = await startRawServer(t)
  answerWith((socket) => {
    socket.write('HTTP/1.1 400 No\r\n\r\n')
    writeForEver('x'.repeat(4_096))(socket)
  })
  t.equal(await sendExport(targetAt(url), BYTES, never), 'status_400')
})

test('a stop ends it', async (t) => {
  const { url, answerWith } = await startRawServer(t)
  const controller = new AbortController()
  answerWith(() => controller.abort())
  t.equal(await sendExport(targetAt(url), BYTES, controller.signal), 'timeout')
})
