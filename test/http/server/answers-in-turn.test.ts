// What somebody costs who sends requests and does not read the answers: one answer for each
// connection, and only as long as it is being taken.

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type Test, test } from 'tap'
import { startApp, type TestApp } from '../../support/app.ts'
import { exchange, write } from '../../support/hostile-wire.ts'
import { until } from '../../support/until.ts'

const CONNECTIONS = 20
const ASKED = 64
const DOCS = 'GET /docs HTTP/1.1\r\nHost: x\r\n\r\n'

/** The server's ends of connections that are made from now on. */
function watchConnections({ app }: TestApp): Set<Socket> {
  const sockets = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** A connection that sends and reads nothing, until somebody resumes it. */
async function openUnread(t: Test, { url }: TestApp, bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

test('of answers that nobody reads one is kept, and the others are not made', async (t) => {
  const app = await startApp(t)
  const docsBytes = Buffer.byteLength(await (await app.fetch('/docs')).text())
  const sockets = watchConnections(app)
  const responses: ServerResponse[] = []
  app.app.server.on('request', (_request, response: ServerResponse) => responses.push(response))
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => openUnread(t, app, DOCS.repeat(ASKED))),
  )
  // The system takes a few of them.
  await until('every connection is full', () => {
    return sockets.size === CONNECTIONS && [...sockets].every((one) => one.writableLength > 0)
  })
  t.equal(responses.length, CONNECTIONS * ASKED)
  const kept = responses.filter((one) => one.writableEnded && !one.writableFinished)
  t.equal(kept.length, CONNECTIONS)
  t.equal((await app.fetch('/livez')).status, 200)

  const [first] = clients
  let taken = 0
  first?.on('data', (chunk: Buffer) => {
    taken += chunk.length
  })
  await until('whoever reads on is given all', () => taken > ASKED * docsBytes)
})

test('others are served between the answers of one connection', async (t) => {
  const app = await startApp(t)
  const few = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'
  const [many, other] = await Promise.all([openUnread(t, app, ''), openUnread(t, app, '')])
  const finished: (string | undefined)[] = []
  app.app.server.on('request', ({ url }, response: ServerResponse) => {
    response.on('finish', () => finished.push(url))
  })
  // Whoever sees that the first was answered asks as well.
  many.once('data', () => other.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'))
  many.write(few.repeat(ASKED))
  await until('all', () => finished.length === ASKED + 1)
  t.ok(finished.indexOf('/readyz') < ASKED)
})

test('the next one is not begun for a caller that leaves before its turn', async (t) => {
  const app = await startApp(t)
  const responses: ServerResponse[] = []
  app.app.server.on('request', ({ socket }, response: ServerResponse) => {
    if (responses.push(response) === 1) response.on('close', () => socket.destroy())
  })
  const client = await openUnread(t, app, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2))
  client.resume()
  await once(client, 'close')
  t.equal((await app.fetch('/livez')).status, 200)
  t.equal(responses[0]?.writableFinished, true)
  t.equal(responses[1]?.writableEnded, false)
})

test('a connection that takes nothing is ended', async (t) => {
  const app = await startApp(t)
  // The limit of a real service is half a minute.
  app.app.server.timeout = 400
  const sockets = watchConnections(app)
  await openUnread(t, app, DOCS.repeat(ASKED))
  await until('it is there', () => sockets.size === 1)
  await until('it is ended', () => sockets.size === 0)
})

test('more requests at once than anybody sends end the connection', async (t) => {
  const { url } = await startApp(t)
  const few = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'
  const all = await exchange(url, Buffer.concat([Buffer.from(few.repeat(64)), write('GET /livez')]))
  t.equal(all.length, 65)
  t.ok((await exchange(url, Buffer.from(few.repeat(500)))).length < 500)
  t.equal((await exchange(url, write('GET /livez')))[0]?.status, 200)
})

test('one that waits is not answered after the caller has gone', async (t) => {
  const app = await startApp(t)
  const sockets = watchConnections(app)
  const before = app.log.length
  const client = await openUnread(t, app, DOCS.repeat(ASKED))
  await until('it is full', () => [...sockets].some((socket) => socket.writableLength > 0))
  client.destroy()
  await until('it is gone', () => sockets.size === 0)
  t.equal((await app.fetch('/livez')).status, 200)
  t.ok(app.log.length - before < ASKED, 'most of them were never begun')
})
