// One attempt: where it goes, where it never goes, and that it ends.

import { createServer } from 'node:net'
import { test } from 'tap'
import { sendWebhook } from '../../src/webhooks/send-webhook.ts'
import { SWITCHING, startRawServer } from '../support/raw-server.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const never = new AbortController().signal

function messageTo(url: string, allowPrivateNetwork = true) {
  return { url, allowPrivateNetwork, headers: { 'webhook-id': 'one' }, body: '{"é":1}' }
}

test('POSTs the body as JSON and reports the status alone', async (t) => {
  const receiver = await startReceiver(t)
  receiver.answerWith((response) => response.writeHead(202).end('x'.repeat(10_000_000)))
  t.strictSame(await sendWebhook(messageTo(receiver.url), never), { status: 202 })
  t.match(receiver.received, [
    {
      path: '/hook',
      body: '{"é":1}',
      headers: { 'content-type': 'application/json', 'webhook-id': 'one', connection: 'close' },
    },
  ])
})

test('a redirect is not followed', async (t) => {
  const target = await startReceiver(t)
  const receiver = await startReceiver(t)
  for (const status of [301, 302, 303, 307, 308]) {
    receiver.answerWith((response) => response.writeHead(status, { location: target.url }).end())
    t.strictSame(await sendWebhook(messageTo(receiver.url), never), { status })
  }
  t.equal(target.received.length, 0)
})

test('a private address is not connected to, by its number or by a name', async (t) => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f000001']) {
    const outcome = await sendWebhook(messageTo(`https://${host}:${port}/`, false), never)
    t.strictSame(outcome, { error: 'url_refused' }, host)
  }
  t.strictSame(await sendWebhook(messageTo(`http://localhost:${port}/`, false), never), {
    error: 'url_refused',
  })
  for (const name of ['localhost', 'LOCALHOST', 'localhost.']) {
    const outcome = await sendWebhook(messageTo(`https://${name}:${port}/`, false), never)
    t.match(outcome.error, /^(address_refused|ENOTFOUND|EAI_AGAIN)$/, name)
  }
  const byName = await sendWebhook(messageTo(`https://localhost:${port}/`, false), never)
  t.strictSame(byName, { error: 'address_refused' })
  t.equal(connections, 0, 'nobody was connected to')
  t.match(await sendWebhook(messageTo(`http://localhost:${port}/`), never), { error: String })
  t.ok(connections > 0, 'with leave somebody is')
})

test('what fails is told by the code of the system error', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  await new Promise((resolve) => server.close(resolve))
  const outcome = await sendWebhook(messageTo(`http://127.0.0.1:${port}/`), never)
  t.strictSame(outcome, { error: 'ECONNREFUSED' })
})

test('a receiver that does not answer is given up when the signal says so', async (t) => {
  const receiver = await startReceiver(t)
  receiver.answerWith(() => {})
  const controller = new AbortController()
  const sending = sendWebhook(messageTo(receiver.url), controller.signal)
  await receiver.wait(1)
  controller.abort('timeout')
  t.strictSame(await sending, { error: 'timeout' })
})

test('a receiver that turns to another protocol has failed', async (t) => {
  const server = await startRawServer(t)
  server.answerWith(SWITCHING)
  t.strictSame(await sendWebhook(messageTo(server.url), never), { error: 'failed' })
})

test('an answer whose headers have no end is cut off', async (t) => {
  const server = await startRawServer(t)
  server.answerWith(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(64 * 1024)}`)
  t.strictSame(await sendWebhook(messageTo(server.url), never), { error: 'HPE_HEADER_OVERFLOW' })
})
