// Where the log of the service goes: a file descriptor that is written to without ever waiting for
// its reader. One that stalls costs lines, one that died costs them all, and neither holds up a
// request or the end of the process. No thread of the pool is used either, because the process
// cannot end while a write hangs in one.

import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Lines are written together, because a system call for each costs a tenth of a refresh. */
const BATCH_CHARACTERS = 8 * 1024
const BATCH_MS = 100
/** How soon a reader that had stalled is tried again. */
const RETRY_MS = 10
/** What waits for a reader, in characters; lines beyond it are lost, and counted. */
const WAITING_MAX = 4 * 1024 * 1024
const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

export interface LogOutput {
  /** Takes a text that ends with a newline; it is written within 100 ms, or at `flushSync`. */
  write(text: string): void
  /** Writes as much as the reader takes at once. */
  flushSync(): void
  /** Resolves when nothing waits any more, or when the reader has had `timeoutMs`. */
  drained(timeoutMs: number): Promise<void>
}

/**
 * Opens standard output. `onResumed` is told how many lines were lost, once one could be written
 * again. What still waits at the exit of the process is offered once more.
 */
export function openLogOutput(onResumed: (lost: number) => void): LogOutput {
  // To ask for it makes Node take a pipe out of blocking mode.
  const { fd } = process.stdout
  let waiting = ''
  /** What remains of a batch that the reader has begun. */
  let begun = NOTHING
  let isWithinLine = false
  let lost = 0
  let timer: NodeJS.Timeout | undefined

  function flushSync(): void {
    while (begun.length > 0 || waiting !== '') {
      if (begun.length === 0) begin()
      try {
        const size = writeSync(fd, begun)
        if (size > 0) isWithinLine = begun[size - 1] !== NEWLINE
        begun = begun.subarray(size)
      } catch (error) {
        if (isFull(error)) schedule(RETRY_MS)
        else lose()
        return
      }
    }
    if (lost === 0) return
    const count = lost
    lost = 0
    onResumed(count)
  }

  /** A dead reader, a full disk. Either may come to an end, so later lines are tried again. */
  function lose(): void {
    lost += begun.filter((byte) => byte === NEWLINE).length
    begun = NOTHING
  }

  function begin(): void {
    begun = Buffer.from(isWithinLine ? `\n${waiting}` : waiting)
    waiting = ''
  }

  function schedule(afterMs: number): void {
    if (timer) return
    timer = setTimeout(() => {
      timer = undefined
      flushSync()
    }, afterMs)
    timer.unref()
  }

  process.on('exit', flushSync)
  return {
    flushSync,
    write(text) {
      if (waiting.length + begun.length > WAITING_MAX) {
        lost += 1
        return
      }
      waiting += text
      // While the reader is behind, it is tried by the timer alone.
      if (waiting.length >= BATCH_CHARACTERS && begun.length === 0) flushSync()
      else schedule(BATCH_MS)
    },
    async drained(timeoutMs) {
      const giveUpAtMs = performance.now() + timeoutMs
      flushSync()
      while (begun.length > 0 && performance.now() < giveUpAtMs) {
        await delay(RETRY_MS)
        flushSync()
      }
    },
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
