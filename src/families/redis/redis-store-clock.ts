// The clock of the server behind one connection. A command that changes something carries the
// moment, by that clock, until which its sender waits. Without it a server that was frozen, or a
// link that delivers late, would carry out what the sender has given up and repeated elsewhere
// (docs/semantics.md §3).

import type { Redis } from 'ioredis'
import { replyCode } from '../../redis/redis-failure.ts'
import { giveUpMoment, sendCommand } from '../../redis/redis-script.ts'
import { type ClockOffset, narrowOffset, readOffset } from '../../runtime/clock-offset.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'

/**
 * How often the clock is read, since somebody may set it. A LATE answer makes us read it at once.
 */
const READ_EVERY_MS = 2_000

/**
 * Fills in the last argument of every command that waits only until a moment. Gives the call that
 * asks the server for its time; before the first answer, commands that change something are
 * refused.
 */
export function watchStoreClock(redis: Redis): () => Promise<void> {
  /** Belongs to one socket, because the next one may lead to another server. */
  let known: { readonly of: Redis['stream']; readonly offset: ClockOffset } | undefined
  let timer: NodeJS.Timeout | undefined

  async function read(): Promise<void> {
    const of = redis.stream
    const sentAtMs = performance.now()
    const reply = (await sendCommand(redis, 'time', [], 'free')) as string[]
    const read = readOffset(toMs(reply), sentAtMs, performance.now())
    if (redis.stream !== of) return
    known = { of, offset: narrowOffset(known?.of === of ? known.offset : undefined, read) }
  }

  const readUnasked = () => {
    // A failure needs no report here: the client reports a broken connection and reconnects.
    if (redis.status === 'ready') read().catch(() => {})
  }

  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    const giveUpAtMs = giveUpMoment(command)
    // Without a connection ioredis itself refuses the command, with a better reason.
    if (giveUpAtMs === undefined || redis.status !== 'ready') return send(command, stream)
    if (!known || known.of !== redis.stream) {
      command.reject(new DependencyUnavailable('redis', 'its clock is not known yet'))
      return command.promise
    }
    command.args[command.args.length - 1] = String(deadlineBy(known.offset, giveUpAtMs))
    // Not by a `catch`, which makes one promise more for each command.
    const { reject } = command
    command.reject = (error) => {
      if (replyCode(error) === 'LATE') readUnasked()
      reject(error)
    }
    return send(command, stream)
  }
  redis.on('ready', () => {
    clearInterval(timer)
    timer = setInterval(readUnasked, READ_EVERY_MS).unref()
  })
  redis.on('close', () => clearInterval(timer))
  return read
}

/** The reply of TIME. */
function toMs([seconds, microseconds]: readonly string[]): number {
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}

/**
 * When we give up, by the server's clock. Uses the lower bound of the offset, so that an error
 * makes the moment earlier, never later; the way of the answer is included in that bound.
 */
export function deadlineBy({ lowMs }: ClockOffset, giveUpAtMs: number): number {
  return Math.floor(giveUpAtMs + lowMs)
}
