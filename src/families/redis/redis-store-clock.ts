// The clock of the server behind one connection. Commands that change something are sent with the
// moment until which somebody waits for them, in that clock: a server that was frozen, or a link
// that delivers late, would otherwise carry out what its sender has long repeated elsewhere.

import type { Redis } from 'ioredis'
import { replyCode } from '../../redis/redis-failure.ts'
import { giveUpMoment, sendCommand } from '../../redis/redis-script.ts'
import { type ClockOffset, narrowOffset, readOffset } from '../../runtime/clock-offset.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'

/** How soon a clock that somebody has set is noticed, where no late answer tells it before. */
const READ_EVERY_MS = 2_000
export interface StoreClock {
  /** Asks the server for its time. Until that was done, what changes something is refused. */
  read(): Promise<void>
}

/** Puts the moment into every command of `redis` that has one, in place of its last argument. */
export function watchStoreClock(redis: Redis): StoreClock {
  /** A new socket may lead to another server. */
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
    // A connection that has failed is told of, and made anew, by its owner.
    if (redis.status === 'ready') read().catch(() => {})
  }

  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    const giveUpAtMs = giveUpMoment(command)
    // What is not connected refuses by itself, and says why.
    if (giveUpAtMs === undefined || redis.status !== 'ready') return send(command, stream)
    if (!known || known.of !== redis.stream) {
      command.reject(new DependencyUnavailable('redis', 'its clock is not known yet'))
      return command.promise
    }
    command.args[command.args.length - 1] = String(deadlineBy(known.offset, giveUpAtMs))
    command.promise.catch((error: unknown) => {
      if (replyCode(error) === 'LATE') readUnasked()
    })
    return send(command, stream)
  }
  redis.on('ready', () => {
    clearInterval(timer)
    timer = setInterval(readUnasked, READ_EVERY_MS).unref()
  })
  redis.on('close', () => clearInterval(timer))
  return { read }
}

/** The reply of TIME. */
function toMs([seconds, microseconds]: readonly string[]): number {
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}

/**
 * The millisecond of the server from which an answer may come after we have given up. By the lower
 * bound, in which the way back is contained: an error makes it earlier, never later.
 */
export function deadlineBy({ lowMs }: ClockOffset, giveUpAtMs: number): number {
  return Math.floor(giveUpAtMs + lowMs)
}
