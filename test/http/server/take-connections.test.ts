// An application that is handed its connections by another process treats them as its own.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { fastify } from 'fastify'
import { test } from 'tap'
import { takeConnections } from '../../../src/http/server/listen.ts'
import { SERVER_OPTIONS } from '../../../src/http/server/server-options.ts'
import { until } from '../../support/until.ts'

test('limits of time and the closing of idle connections count for those that were handed over', async (t) => {
  const app = fastify({ ...SERVER_OPTIONS, logger: false })
  const take = takeConnections(app)
  app.get('/', async () => 'answer')
  await app.ready()
  let connections = 0
  const door = createServer((socket) => {
    connections += 1
    take(socket)
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  t.teardown(() => door.close())
  const { port } = door.address() as AddressInfo
  const open = async (text: string) => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    let said = ''
    socket.setEncoding('utf8').on('data', (more: string) => {
      said += more
    })
    const closed = once(socket, 'close')
    socket.write(text)
    return { socket, closed, said: () => said }
  }

  const idle = await open('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await until('an answer', () => idle.said().endsWith('answer'))
  const slow = await open('GET / HTTP/1.1\r\nhost: x\r\n')
  await until('both', () => connections === 2)
  app.server.closeIdleConnections()
  await idle.closed
  t.notOk(slow.socket.destroyed, 'one with a request under way is not idle')
  const closing = app.close()
  slow.socket.write('\r\n')
  await slow.closed
  await closing
  t.match(slow.said(), /^HTTP\/1\.1 200 .*answer$/s)
})
