// Bodies at /verify: whatever their type, size and framing they change no verdict, are never kept,
// and are never taken for the next request (docs/semantics.md §10).

import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Test, test } from 'tap'
import { openVerifyScene, type VerifyScene } from '../../scenes/verify-scene.ts'
import { exchange, FORM, JSON_TYPE, write } from '../../support/hostile-wire.ts'
import { until } from '../../support/until.ts'

const MEGABYTE = 1024 * 1024
/** More than lingering takes, and less than the 15 s after which Node itself gives up. */
const PATIENCE_MS = 6_000

const bearer = ({ token }: VerifyScene) => `Authorization: Bearer ${token}`

const CHUNKED = 'Transfer-Encoding: chunked'
const asChunk = (bytes: Buffer | string) =>
  Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ])

test('no media type, size or nonsense in a body changes the verdict', async (t) => {
  const scene = await openVerifyScene(t)
  for (const [type, body] of [
    [JSON_TYPE, '{'],
    [JSON_TYPE, '{"__proto__": {}}'],
    [FORM, 'scope=delete&scope=delete&%zz'],
    ['Content-Type: nonsense', 'x'],
    ['Content-Type: multipart/form-data', Buffer.alloc(100, 0xff)],
    ['Content-Type:', 'x'],
    ['Content-Encoding: gzip', 'x'],
    ['X-Nothing: y', 'x'],
    [JSON_TYPE, ''],
    [JSON_TYPE, Buffer.alloc(5 * MEGABYTE, '[')],
  ] as const) {
    for (const method of ['POST', 'GET', 'OPTIONS', 'QUERY', 'DELETE', 'PROPFIND']) {
      for (const path of ['/verify', '/verify/x']) {
        const start = `${method} ${path}`
        const [good] = await exchange(scene.app.url, write(start, [type, bearer(scene)], body))
        t.equal(good?.status, 200, `${start} ${type}`)
        const [bad] = await exchange(scene.app.url, write(start, [type], body))
        t.equal(bad?.status, 401, `${start} ${type}`)
      }
    }
  }
})

test('chunks, 100-continue, other expectations and HTTP/1.0 are as good', async (t) => {
  const scene = await openVerifyScene(t)
  for (const lines of [
    [CHUNKED],
    [CHUNKED, 'Trailer: Authorization', JSON_TYPE],
    [CHUNKED, 'Expect: 100-continue'],
    [CHUNKED, 'Expect: a-miracle'],
  ]) {
    const head = ['POST /verify HTTP/1.1', 'Host: x', bearer(scene), ...lines, 'Connection: close']
    const body = Buffer.concat([
      asChunk('{'),
      asChunk('x'.repeat(70_000)),
      Buffer.from('0\r\n\r\n'),
    ])
    const bytes = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
    t.equal((await exchange(scene.app.url, bytes))[0]?.status, 200, lines.join())
  }
  const old = `POST /verify HTTP/1.0\r\n${bearer(scene)}\r\nContent-Length: 3\r\n\r\nabc`
  t.equal((await exchange(scene.app.url, old))[0]?.status, 200)
})

test('a body that looks like a request is none, and the connection goes on', async (t) => {
  const scene = await openVerifyScene(t)
  const inner = `GET /verify HTTP/1.1\r\nHost: x\r\n${bearer(scene)}\r\n\r\n`
  const length = `Content-Length: ${inner.length}`
  const outer = `POST /verify/a HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n${inner}`
  const last = write('GET /verify/b', [bearer(scene)])
  const bytes = Buffer.concat([Buffer.from(outer.repeat(3)), last])
  const answers = await exchange(scene.app.url, bytes)
  t.strictSame(
    answers.map(({ status }) => status),
    [401, 401, 401, 200],
  )
})

/**
 * Sends `head`, then what `more` gives until the socket is closed; resolves when no more is given.
 */
async function trickle(t: Test, url: string, head: string, more: () => Buffer | undefined) {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  let answer = ''
  socket
    .on('error', () => {})
    .on('data', (bytes) => {
      answer += bytes.toString('latin1')
    })
  socket.write(head)
  for (let next = more(); next && !socket.destroyed; next = more()) {
    socket.write(next)
    await delay(20)
  }
  return { socket, answer: () => answer }
}

/** Resolves when the service holds no connection any more. */
async function untilNoneIsOpen({ app }: VerifyScene): Promise<void> {
  const count = promisify(app.app.server.getConnections.bind(app.app.server))
  app.app.server.closeIdleConnections()
  await until('no connection', async () => (await count()) === 0)
}

test('a body that is announced and never sent keeps nobody waiting', async (t) => {
  const scene = await openVerifyScene(t)
  for (const line of ['Content-Length: 100', CHUNKED]) {
    for (const [authorization, status] of [
      [bearer(scene), 200],
      ['X-Nothing: y', 401],
    ] as const) {
      const head = `POST /verify HTTP/1.1\r\nHost: x\r\n${authorization}\r\n${line}\r\n\r\n`
      const { answer } = await trickle(t, scene.app.url, head, () => undefined)
      await until('the answer', () => answer().includes('\r\n\r\n'))
      t.match(answer(), new RegExp(`^HTTP/1.1 ${status} `))
      t.match(
        answer(),
        /\r\nconnection: close\r\n/i,
        'so that no request is put where it was to be',
      )
    }
  }
  await untilNoneIsOpen(scene)
})

test('a body that never ends is answered, and then cut off', async (t) => {
  const scene = await openVerifyScene(t)
  const chunk = asChunk(Buffer.alloc(64 * 1024))
  const startedAt = performance.now()
  const head = `POST /verify HTTP/1.1\r\nHost: x\r\n${bearer(scene)}\r\n${CHUNKED}\r\n\r\n`
  const more = () => (performance.now() - startedAt < PATIENCE_MS ? chunk : undefined)
  const { socket, answer } = await trickle(t, scene.app.url, head, more)
  t.match(answer(), /^HTTP\/1.1 200 /)
  t.ok(socket.destroyed, 'while it was still being sent')
  t.equal((await scene.verify()).status, 200, 'and nobody else minds')
})

test('a body that comes later than the answer is read to its end', async (t) => {
  const scene = await openVerifyScene(t)
  let left = 10
  const head = `POST /verify HTTP/1.1\r\nHost: x\r\n${bearer(scene)}\r\nContent-Length: 50\r\n\r\n`
  const more = () => (left-- > 0 ? Buffer.from('12345') : undefined)
  const { socket, answer } = await trickle(t, scene.app.url, head, more)
  await untilNoneIsOpen(scene)
  t.match(answer(), /^HTTP\/1.1 200 [\s\S]*\r\n\r\n$/)
  t.equal(socket.destroyed, false, 'closed, not reset')
})

test('WebSocket and h2c handshakes are verified like anything else', async (t) => {
  const scene = await openVerifyScene(t)
  for (const upgrade of ['websocket', 'h2c']) {
    const lines = [
      `Upgrade: ${upgrade}`,
      'HTTP2-Settings: AAMAAABkAAQAAP__',
      'Sec-WebSocket-Version: 13',
    ]
    const head = ['GET /verify/x HTTP/1.1', 'Host: x', bearer(scene), ...lines]
    const bytes = `${[...head, 'Connection: Upgrade, close'].join('\r\n')}\r\n\r\n`
    t.equal((await exchange(scene.app.url, bytes))[0]?.status, 200, upgrade)
  }
})
