// What is told of a test file that hangs: whether it computes for ever or waits.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Test, test } from 'tap'
import { until } from '../support/until.ts'

const SCRIPT = new URL('../../scripts/thread-states.mjs', import.meta.url)
const { describeThreads } = (await import(SCRIPT.href)) as {
  describeThreads: (pid: number | undefined) => string
}

async function start(t: Test, code: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', `console.log(); ${code}`])
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

/** The state of its main thread, which is the first. */
const stateOf = ({ pid }: ChildProcess) => /^\S+: (\w) /.exec(describeThreads(pid))?.[1]

test('a thread that computes is told from one that waits', async (t) => {
  const [busy, waiting] = [await start(t, 'for (;;);'), await start(t, 'setTimeout(() => {}, 1e9)')]
  await until('the one runs', () => stateOf(busy) === 'R')
  await until('the other sleeps', () => stateOf(waiting) === 'S')
})

test('of a process that is gone nothing is told', async (t) => {
  const child = await start(t, 'process.exit()')
  if (child.exitCode === null) await once(child, 'exit')
  t.equal(describeThreads(child.pid), '')
})
