// A drain ends with the last answer, and not at its limit (docs/semantics.md §13).

import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { type Test, test } from 'tap'
import { drain } from '../../../src/http/server/listen.ts'
import { DRAIN_MS } from '../../../src/runtime/close-on-signal.ts'
import { startApp } from '../../support/app.ts'
import { inOwnTime } from '../../support/own-time.ts'
import { until } from '../../support/until.ts'

/** A connection that is kept for the next request. */
async function keepOne(t: Test, url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const request = get(`${url}/livez`, { agent })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  t.not(response.headers.connection, 'close', 'it is kept alive')
}

test('an idle connection does not hold a drain', async (t) => {
  const { app, url } = await startApp(t)
  await keepOne(t, url)
  await inOwnTime('the drain', drain(app), DRAIN_MS / 2)
})

test('the last answer ends a drain', async (t) => {
  const { app, url } = await startApp(t)
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  let answer = ''
  socket.on('data', (text: string) => {
    answer += text
  })
  const form = 'content-type: application/x-www-form-urlencoded\r\ncontent-length: 1\r\n'
  socket.write(`POST /token HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n${form}\r\n`)
  await until('a request under way', () => answer.startsWith('HTTP/1.1 100 '))
  const drained = drain(app)
  await keepsWaiting(t, drained)
  socket.write('x')
  await inOwnTime('the drain', drained, DRAIN_MS / 2)
  await until('the answer', () => /HTTP\/1\.1 400 /.test(answer))
})

async function keepsWaiting(t: Test, drained: Promise<void>): Promise<void> {
  let isDrained = false
  void drained.then(() => {
    isDrained = true
  })
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  t.notOk(isDrained, 'it waits for what is under way')
}
