// LOG_FORMAT=pretty: lines for people on a terminal, and JSON, with a notice, anywhere else.

import { join } from 'node:path'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { freshRequest } from '../scenes/workers-scene.ts'
import { type Environment, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { sourceArguments } from '../support/source-process.ts'
import { openTerminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

async function startOnTerminal(t: Test, extra: Environment = {}) {
  const port = await findFreePort()
  const { url } = await openTestDatabase(t)
  const env = { ...serverEnvironment(url), PORT: String(port), LOG_FORMAT: 'pretty', ...extra }
  const terminal = openTerminal(t, sourceArguments(MAIN), { env })
  await until('the start', () => terminal.shown().includes('service.started'))
  return { port, terminal }
}

test('on a terminal every line is one for people, the hand-written one of a request too', async (t) => {
  const { port, terminal } = await startOnTerminal(t, { NO_COLOR: '1' })
  t.equal(await freshRequest(port, '/nowhere?access_token=secret-of-somebody'), 404)
  await until('its line', () => terminal.shown().includes('request.completed'))
  terminal.type('\u0003')
  t.equal(await terminal.exited, 0)
  t.ok(terminal.isInOrder())
  const shown = terminal.shown()
  t.match(shown, /^\d\d:\d\d:\d\d\.\d{3} INFO {2}service\.started .*\bport=\d+/m)
  t.match(shown, /^[\d:.]{12} INFO {2}request\.refused .*\breason=not_found/m)
  t.match(shown, /^[\d:.]{12} INFO {2}request\.completed GET none 404 \d+ms .*reqId=/m)
  t.match(shown, /^[\d:.]{12} INFO {2}service\.stopped/m)
  t.notMatch(shown, 'secret-of-somebody')
  t.notMatch(shown, /^\{/m)
  t.notOk(shown.includes('\u001b'), 'NO_COLOR')
})

test('the lines of workers come out on the terminal of the one that supervises them', async (t) => {
  const { port, terminal } = await startOnTerminal(t, { LINEAGE_WORKERS: '2' })
  t.equal(await freshRequest(port), 200)
  const line = /INFO .*\[[12]\] request\.completed GET \/livez 200 \d+ms/
  await until('its line', () => line.test(terminal.shown()))
  t.notMatch(terminal.shown(), /^\{/m)
  t.match(terminal.shown(), '\u001b[32mINFO')
  t.notMatch(terminal.shown(), 'is no terminal', 'whose own outputs are none')
})

test('a terminal that has stopped costs neither an answer nor the end', async (t) => {
  const { port, terminal } = await startOnTerminal(t, { LOG_FORMAT: 'json' })
  const pid = await terminal.pid()
  terminal.pause()
  // More than a terminal holds.
  for (let i = 0; i < 300; i += 1) t.equal(await freshRequest(port, '/nowhere'), 404)
  process.kill(pid, 'SIGTERM')
  await until('the end of the service', () => freshRequest(port).then((status) => status === 0))
  terminal.resume()
  t.equal(await terminal.exited, 0)
})

test('where standard output is no terminal the log is JSON, and a notice says so', async (t) => {
  const env = { ...serverEnvironment((await openTestDatabase(t)).url), LOG_FORMAT: 'pretty' }
  const service = await startLineage(t, env)
  const notices = service.log('service.notice').map(({ notice }) => String(notice))
  const own = notices.filter((notice) => notice.startsWith('LOG_FORMAT is pretty'))
  t.equal(own.length, 1)
  t.ok(service.stdout.every((line) => line.startsWith('{')))
})
