// Processes that are noted by their number, and may end at any moment.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'tap'
import { isRunning, signalProcess } from '../../src/embedded/process-identity.ts'

test('a signal reaches a process that runs, and is nothing to one that has ended', async (t) => {
  const child = spawn('sleep', ['60'])
  const { pid = 0 } = child
  signalProcess(pid, 'SIGINT')
  t.strictSame(await once(child, 'exit'), [null, 'SIGINT'])
  t.notOk(isRunning(pid))
  t.doesNotThrow(() => signalProcess(pid, 'SIGINT'))
})
