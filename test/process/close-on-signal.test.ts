// Signals against real child processes: one close, an end in any case, and the right exit code.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { stopLimitMs } from '../../src/runtime/close-on-signal.ts'
import { sourceArguments } from '../support/source-process.ts'

const FIXTURE = fileURLToPath(new URL('fixtures/closing-process.ts', import.meta.url))

interface Closing {
  readonly child: ChildProcess
  readonly said: readonly string[]
  /** Resolves when the process has said `word`, now or before. */
  hears(word: string): Promise<void>
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

function start(t: Test, ...args: string[]): Closing {
  const child = spawn(process.execPath, [...sourceArguments(FIXTURE), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []
  const waiting = new Map<string, () => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line)
    waiting.get(line)?.()
  })
  return {
    child,
    said,
    async hears(word) {
      if (!said.includes(word)) await new Promise<void>((resolve) => waiting.set(word, resolve))
    },
    ended: once(child, 'close').then(([code, signal]) => code ?? signal),
  }
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} closes once and ends with code 0`, async (t) => {
    const process = start(t, 'quickly')
    await process.hears('ready')
    process.child.kill(signal)
    t.equal(await process.ended, 0)
    t.strictSame(process.said, ['ready', 'service.stopping', 'close', 'service.stopped'])
  })
}

test('a close that fails ends with code 1', async (t) => {
  const process = start(t, 'badly')
  await process.hears('ready')
  process.child.kill('SIGTERM')
  t.equal(await process.ended, 1)
  t.equal(process.said.at(-1), 'service.stop_failed')
})

test('a close that does not end is cut off at the limit with code 1', async (t) => {
  const process = start(t, 'never', '50')
  await process.hears('ready')
  process.child.kill('SIGTERM')
  t.equal(await process.ended, 1)
  t.equal(process.said.at(-1), 'service.stop_timed_out')
})

for (const [first, second] of [
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
  ['SIGHUP', 'SIGTERM'],
  ['SIGINT', 'SIGHUP'],
] as const) {
  test(`${second} after ${first} ends the process at once with code 1`, async (t) => {
    const process = start(t, 'never')
    await process.hears('ready')
    process.child.kill(first)
    await process.hears('close')
    process.child.kill(second)
    t.equal(await process.ended, 1)
    t.equal(process.said.filter((word) => word === 'close').length, 1, 'closes once')
    t.equal(process.said.at(-1), 'service.stop_forced')
  })
}

for (const [what, signal] of [
  ['one Ctrl-C', 'SIGINT'],
  ['a closed terminal', 'SIGHUP'],
] as const) {
  test(`${what} arrives twice under npm and still closes in order`, async (t) => {
    const process = start(t, 'twice', '300', signal)
    await process.hears('ready')
    process.child.kill(signal)
    t.equal(await process.ended, 1)
    t.equal(process.said.at(-1), 'service.stop_timed_out', 'the second one did not end it')
  })
}

test('a SIGINT later than a key press lasts ends the process at once', async (t) => {
  const process = start(t, 'never')
  await process.hears('ready')
  process.child.kill('SIGINT')
  await process.hears('close')
  // The rule is about time passing, so time has to pass.
  const again = setInterval(() => process.child.kill('SIGINT'), 100)
  t.teardown(() => clearInterval(again))
  t.equal(await process.ended, 1)
  t.equal(process.said.at(-1), 'service.stop_forced')
})

for (const manner of ['throws', 'rejects']) {
  test(`what nobody caught (${manner}) is told and ends with code 1`, async (t) => {
    const process = start(t, manner)
    t.equal(await process.ended, 1)
    t.strictSame(process.said, ['ready', 'service.crashed'])
  })
}

test('the limit holds the delay, the drain and a margin', async (t) => {
  t.equal(stopLimitMs(0), 15_000)
  t.equal(stopLimitMs(5), 20_000)
})
