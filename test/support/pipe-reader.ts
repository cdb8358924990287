// A pipe with a reader that can be paused and killed, as `service | cat` has one.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface PipeReader {
  /** The end that is written to; to be closed here once a child has it. */
  readonly fd: number
  /** SIGSTOP: nothing is read any more, and the pipe stays open. */
  pause(): void
  resume(): void
  /** SIGKILL: nobody will read any more. */
  kill(): Promise<void>
  /** All that was read, when every writer has closed its end. */
  readonly all: Promise<string>
  closeFd(): void
}

export function openPipeReader(t: Test): PipeReader {
  const path = join(t.testdir({}), 'pipe')
  spawnSync('mkfifo', [path])
  const reader: ChildProcess = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => reader.kill('SIGKILL'))
  const exited = once(reader, 'exit')
  // Waits for the reader to open its end.
  const fd = openSync(path, 'w')
  return {
    fd,
    pause: () => void reader.kill('SIGSTOP'),
    resume: () => void reader.kill('SIGCONT'),
    async kill() {
      reader.kill('SIGKILL')
      await exited
    },
    all: reader.stdout ? text(reader.stdout) : Promise.resolve(''),
    closeFd: () => closeSync(fd),
  }
}
