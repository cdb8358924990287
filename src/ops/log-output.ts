// Where the log of the service goes: standard output, written without ever waiting for its reader.
// When the reader stalls or dies, lines are lost and counted, but no request waits, and the process
// can end. No thread of the pool writes, because a write that hangs there would keep the process
// from ending.

import { constants, openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { FormatLines } from './log-format.ts'

/** Lines are written together, because a system call for each costs a tenth of a refresh. */
const BATCH_CHARACTERS = 8 * 1024
const BATCH_MS = 100
/** How soon a reader that had stalled is tried again. */
const RETRY_MS = 10
/** Characters that may wait for the reader; lines beyond that are lost, and counted. */
const WAITING_MAX = 4 * 1024 * 1024
const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

export interface LogOutput {
  /** Takes one line or more, the last with its newline as well; it is written within 100 ms, or at `flushSync`. */
  write(text: string): void
  /** Writes as much as the reader takes at once. */
  flushSync(): void
  /** Resolves when nothing waits any more, or when the reader has had `timeoutMs`. */
  drained(timeoutMs: number): Promise<void>
}

/**
 * Opens standard output. `onResumed` is told how many lines were lost, once one could be written
 * again. What still waits at the exit of the process is offered once more. Without `format` lines
 * are written as they come.
 */
export function openLogOutput(
  onResumed: (lost: number) => void,
  format: FormatLines = (text) => text,
): LogOutput {
  const fd = openWithoutWaiting()
  let waiting = ''
  /** The rest of a batch of which the reader has taken a part. */
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

  /**
   * Counts the lines of this batch as lost: the reader died or the disk is full. Later lines are
   * tried.
   */
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
        lost += countLines(text)
        return
      }
      waiting += format(text)
      // While the reader is behind, only the timer tries to write.
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

/**
 * Touching process.stdout makes Node.js switch a pipe to non-blocking mode, but a terminal to the
 * blocking one: with it one key, Ctrl-S, would stop the service. The terminal is therefore opened once
 * more, which leaves whoever shares it alone.
 */
function openWithoutWaiting(): number {
  const { fd, isTTY } = process.stdout
  if (!isTTY) return fd
  try {
    return openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    // It belongs to another user, as after `su`.
    return fd
  }
}

function countLines(text: string): number {
  return text.split('\n').length - 1
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
