// `lineage top` on a terminal, beside a real service: it draws in place, follows the size, outlives the
// service, and leaves the terminal as it was, however it ends.

import { join } from 'node:path'
import { type Test, test } from 'tap'
import { startTraffic } from '../scenes/traffic-scene.ts'
import { isAlive } from '../scenes/workers-scene.ts'
import { type Environment, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { sourceArguments } from '../support/source-process.ts'
import { openTerminal, type Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')
const ENTER = '\u001b[?1049h'
const LEAVE = '\u001b[?1049l'
const HOME = '\u001b[H'

async function startService(t: Test) {
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const service = await startLineage(t, env)
  return { service, env: { ...env, PORT: String(service.port) } }
}

function openTop(t: Test, env: Environment, size?: { columns: number; rows: number }): Terminal {
  const args = [...sourceArguments(CLI), 'top', '--interval', '1']
  return openTerminal(t, args, { env, ...size })
}

/** The lines that are on the screen, without their colours. */
function frameOf(terminal: Terminal): string[] {
  const last = terminal.shown().split(HOME).at(-1) ?? ''
  return last
    .split('\u001b')
    .map((part, index) => (index === 0 ? part : part.replace(/^\[[?\d;]*[A-Za-z]/, '')))
    .join('')
    .split(/\r*\n/)
}

const shows = (terminal: Terminal, what: RegExp): boolean => what.test(frameOf(terminal).join('\n'))

/** It gave the screen back, once, after everything that it drew. */
function checkEnd(t: Test, terminal: Terminal): void {
  const shown = terminal.shown()
  t.equal(shown.split(ENTER).length, 2)
  t.equal(shown.split(LEAVE).length, 2)
  t.ok(shown.lastIndexOf(LEAVE) > shown.lastIndexOf(HOME))
  t.match(shown.slice(shown.lastIndexOf(HOME)), '\u001b[?25h', 'the cursor is back')
  t.ok(terminal.isInOrder(), 'so are lines and echo')
}

test('it shows what happens, follows the size and outlives the service', async (t) => {
  const { service, env } = await startService(t)
  const traffic = await startTraffic(service)
  t.teardown(() => traffic.stop())
  const terminal = openTop(t, env, { columns: 100, rows: 40 })

  await until('rates of the traffic', () => shows(terminal, /^refreshes +rotated [\d.]+\/s/m))
  t.ok(shows(terminal, /^POST \/token +[\d.]+ +[\d.]+ /m))
  t.ok(shows(terminal, /^postgresql +up +calls [\d.]+\/s/m))
  t.notOk(shows(terminal, /^\^/m), 'no key is shown')

  terminal.resize(50, 16)
  const fits = (lines: string[]) => lines.length <= 16 && lines.every(({ length }) => length <= 50)
  await until('lines that fit', () => fits(frameOf(terminal)))
  terminal.resize(100, 40)
  await until('all lines again', () => shows(terminal, /^process +cpu/m))

  await traffic.stop()
  service.signal('SIGKILL')
  await until('the problem', () => shows(terminal, /ECONNREFUSED/))
  t.ok(shows(terminal, /^process +cpu/m), 'with the figures of before')
  await startLineage(t, env)
  await until('the next service', () => !shows(terminal, /ECONNREFUSED/))
  t.notOk(shows(terminal, / -\d/), 'nothing is negative')

  terminal.type('q')
  t.equal(await terminal.exited, 0)
  checkEnd(t, terminal)
})

test('the terminal is given back, whatever ends it', async (t) => {
  const { env } = await startService(t)
  const crash = "process.on('SIGUSR2', () => { throw new Error('boom') })"
  const fragile = {
    ...env,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}`,
  }
  const endings: Record<string, [code: number, end: (terminal: Terminal, pid: number) => void]> = {
    'Ctrl-C': [0, (terminal) => terminal.type('\u0003')],
    'Ctrl-D': [0, (terminal) => terminal.type('\u0004')],
    SIGTERM: [0, (_terminal, pid) => process.kill(pid, 'SIGTERM')],
    SIGINT: [0, (_terminal, pid) => process.kill(pid, 'SIGINT')],
    'an error of its own': [1, (_terminal, pid) => process.kill(pid, 'SIGUSR2')],
  }
  for (const [name, [code, end]] of Object.entries(endings)) {
    await t.test(name, async (t) => {
      const terminal = openTop(t, fragile)
      await until('the first frame', () => shows(terminal, /^process/m))
      end(terminal, await terminal.pid())
      t.equal(await terminal.exited, code)
      checkEnd(t, terminal)
    })
  }
})

test('it ends with its terminal', async (t) => {
  const { env } = await startService(t)
  const terminal = openTop(t, env)
  await until('the first frame', () => shows(terminal, /^process/m))
  const pid = await terminal.pid()
  terminal.close()
  await until('its end', () => !isAlive(pid))
})

test('colours are left out where nobody wants them, and --once takes no screen', async (t) => {
  const { env } = await startService(t)
  const plain = openTop(t, { ...env, NO_COLOR: '1' })
  await until('the first frame', () => shows(plain, /^process/m))
  plain.type('q')
  await plain.exited
  const drawn = plain.shown().slice(0, plain.shown().lastIndexOf(HOME))
  t.notMatch(drawn.replaceAll('\u001b[?', ''), /\[\d+m/)

  const args = [...sourceArguments(CLI), 'top', '--once', '--interval', '1']
  const once = openTerminal(t, args, { env })
  t.equal(await once.exited, 0)
  t.match(once.shown(), /^requests +all /m)
  t.notOk(once.shown().includes('\u001b'))
})
