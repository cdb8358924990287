// A request with a certificate comes to an end whatever bytes it is answered with.

import { type Test, test } from 'tap'
import { LOCALHOST_CERTIFICATE } from '../../../test/support/localhost-certificate.ts'
import {
  EARLY_HINTS,
  SWITCHING,
  startRawServer,
  writeForEver,
} from '../../../test/support/raw-server.ts'
import { createTlsFetch } from '../src/tls-fetch.ts'

const OK = 'HTTP/1.1 200 OK\r\n'

async function startAsked(t: Test) {
  const { answerWith, url } = await startRawServer(t, { isTls: true })
  const tlsFetch = createTlsFetch({ ca: LOCALHOST_CERTIFICATE })
  const ask = (signal?: AbortSignal) => tlsFetch(url, signal ? { signal } : {})
  return { answerWith, ask }
}

test('what is no answer rejects, and the program goes on', async (t) => {
  const { answerWith, ask } = await startAsked(t)
  const cases: [what: string, bytes: string, error: RegExp][] = [
    ['another protocol', SWITCHING, /^TypeError: closed without an answer/],
    ['another protocol after hints', EARLY_HINTS + SWITCHING, /^TypeError/],
    ['another protocol that has no name', 'HTTP/1.1 101 Switching\r\n\r\n', /^RangeError/],
    ['a status that does not exist', 'HTTP/1.1 999 No\r\n\r\n', /^RangeError/],
    ['the least status', 'HTTP/1.1 000 No\r\n\r\n', /^RangeError/],
    ['headers without an end', `${OK}x: ${'a'.repeat(64_000)}`, /Header overflow/],
    ['no HTTP', 'hello\r\n', /Parse Error/],
  ]
  for (const [what, bytes, error] of cases) {
    answerWith(bytes)
    t.match(await ask().catch(String), error, what)
  }
  answerWith((socket) => socket.end())
  await t.rejects(ask(), { code: 'ECONNRESET' }, 'an end in place of an answer')
})

test('a body where there must be none is not read, and ends its connection', async (t) => {
  const { answerWith, ask } = await startAsked(t)
  for (const status of [204, 205, 304]) {
    const closed = new Promise((resolve) => {
      answerWith((socket) => {
        socket.on('close', resolve)
        socket.write(`HTTP/1.1 ${status} No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`)
      })
    })
    const response = await ask()
    t.strictSame([response.status, await response.text()], [status, ''])
    await closed
  }
})

test('a body that is cut is not taken as whole', async (t) => {
  const { answerWith, ask } = await startAsked(t)
  answerWith((socket) => socket.end(`${OK}Content-Length: 9\r\n\r\npart`))
  await t.rejects((await ask()).text(), 'by the server')
  const controller = new AbortController()
  answerWith(`${OK}\r\npart`)
  const { body } = await ask(controller.signal)
  await t.rejects(
    async () => {
      for await (const _ of body ?? []) controller.abort()
    },
    { name: 'AbortError' },
    'by the caller',
  )
})

test('an abort ends it at once with its reason, whatever the server does', async (t) => {
  const { answerWith, ask } = await startAsked(t)
  const reason = new Error('enough')
  await t.rejects(ask(AbortSignal.abort(reason)), reason)
  for (const bytes of ['', `${OK}x: `, EARLY_HINTS]) {
    const controller = new AbortController()
    answerWith((socket) => {
      if (bytes) writeForEver(bytes)(socket)
      controller.abort(reason)
    })
    await t.rejects(ask(controller.signal), reason, bytes)
  }
})
