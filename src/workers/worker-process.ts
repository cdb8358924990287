// One worker as the process that supervises sees it: a process that can be told something, handed a
// connection, and waited for.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { LogOutput } from '../ops/log-output.ts'
import { workerOption } from './worker-count.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

export interface WorkerEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface WorkerProcess {
  /** From 1 on; a replacement has the number of the one before it. */
  readonly number: number
  readonly pid: number | undefined
  /** Does nothing where the worker has ended. */
  send(message: ToWorker): void
  /** Hands over a connection, which stays open here as well until the caller destroys it. */
  hand(listener: number, socket: Socket): void
  kill(): void
  /** Resolves when it has ended and its last line has been read. */
  readonly ended: Promise<WorkerEnd>
}

export interface ForkOptions {
  readonly number: number
  /** Where its log goes. */
  readonly output: Pick<LogOutput, 'write'>
  readonly onMessage: (message: FromWorker) => void
}

/** What is run: by its real path, because the link that leads to a build may lead to another later. */
const program = realpathSync(process.argv[1] ?? '')

/** Starts this program once more, as a worker. It cannot fail: a worker that is none has ended. */
export function forkWorker({ number, output, onMessage }: ForkOptions): WorkerProcess {
  const child = fork(program, process.argv.slice(2), {
    execArgv: [...process.execArgv, workerOption(number)],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (child.stdout) forwardLines(child.stdout, output)
  // Told of by the end of the worker.
  child.on('error', () => {})
  child.on('message', (message) => onMessage(message as FromWorker))
  const ignoreFailure = () => {}
  return {
    number,
    pid: child.pid,
    send(message) {
      if (child.connected) child.send(message, ignoreFailure)
    },
    hand(listener, socket) {
      const message: ToWorker = { kind: 'connection', listener }
      if (child.connected) child.send(message, socket, { keepOpen: true }, ignoreFailure)
    },
    kill: () => void child.kill('SIGKILL'),
    ended: endOf(child),
  }
}

async function endOf(child: ChildProcess): Promise<WorkerEnd> {
  // A process that could not be started has no pid, and never closes.
  if (child.pid === undefined) return { code: null, signal: null }
  const [code, signal] = await once(child, 'close')
  return { code, signal }
}

/** Hands on whole lines only, so that those of several workers never mix. */
function forwardLines(stream: Readable, output: Pick<LogOutput, 'write'>): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) output.write(rest + text.slice(0, end))
    rest = end > 0 ? text.slice(end) : rest + text
  })
  stream.on('end', () => {
    if (rest !== '') output.write(`${rest}\n`)
  })
}
