// A login that is under way for as long as a test wants, and whether a service still listens.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { LineageProcess } from '../support/lineage-process.ts'
import { until } from '../support/until.ts'

export interface HeldRequest {
  readonly socket: Socket
  /** Sends the body; everything that the server answers until it closes the connection. */
  finish(): Promise<string>
}

/** A login whose body is still to come: "100 Continue" proves that the service is at work on it. */
export async function holdLogin(t: Test, service: LineageProcess): Promise<HeldRequest> {
  const client = await service.makeClient({})
  const user = await service.makeUser()
  const body = new URLSearchParams({
    grant_type: 'password',
    client_id: client.id,
    username: user.username,
    password: user.password,
  }).toString()
  const socket = connect(service.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  socket.write(
    'POST /token HTTP/1.1\r\nhost: auth.example.test\r\nexpect: 100-continue\r\n' +
      'content-type: application/x-www-form-urlencoded\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n`,
  )
  await until('100 Continue', () => answer.startsWith('HTTP/1.1 100 '))
  return {
    socket,
    async finish() {
      socket.write(body)
      await closed
      return answer
    },
  }
}

/** Whether nobody listens. */
export async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return (await new Promise((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
  }).finally(() => socket.destroy())) as boolean
}
