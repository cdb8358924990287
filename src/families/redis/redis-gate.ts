// The gate on one connection to Redis: family commands pass only after the journal was re-applied
// over this very connection, because the server behind it may have lost what it once confirmed.
// The gate sits below every queue and redirection of ioredis.

import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { isGated } from '../../redis/redis-script.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'

const RETRY_DELAY_MS = 250

/** The error for a command that a closed gate holds back. */
export function gateClosed(): DependencyUnavailable {
  return new DependencyUnavailable('redis', 'the journal is not re-applied yet')
}

/** The gate of a replica stays closed, and is tried again when the replica is promoted. */
export type Replayed = 'replayed' | 'is_replica'

export interface Gate {
  isOpen(): boolean
  /** Closes the gate until `replay` has succeeded once more. */
  reopen(): Promise<void>
}

/**
 * Closes the gate of `redis`, and opens it for as long as one socket lives, once `replay` has
 * succeeded over it. A rejection of `replay` is handed to `onFailure` and tried again.
 */
export function gateConnection(
  redis: Redis,
  replay: () => Promise<Replayed>,
  onFailure: (error: unknown) => void,
): Gate {
  let openedFor: Redis['stream'] | undefined
  let closings = 0
  let isOpening = false

  // The socket itself is compared, because ioredis emits `close` a tick after the socket has gone.
  const isOpen = () => redis.status === 'ready' && redis.stream === openedFor

  async function open(): Promise<void> {
    if (isOpening) return
    isOpening = true
    while (redis.status === 'ready' && !isOpen()) {
      const before = { stream: redis.stream, closings }
      try {
        if ((await replay()) === 'is_replica') break
        if (before.closings === closings) openedFor = before.stream
      } catch (error) {
        // If the connection closed meanwhile, its own error handler reports that.
        if (redis.status === 'ready') onFailure(error)
        await delay(RETRY_DELAY_MS, undefined, { ref: false })
      }
    }
    isOpening = false
  }

  function close(): void {
    openedFor = undefined
    closings += 1
  }

  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    // ioredis sends one of these two when a Cluster node became a replica or a master.
    if (command.name === 'readonly' || command.name === 'readwrite') {
      close()
      setImmediate(open)
    }
    // A gated command that has timed out must not be sent either, though the gate is open by now.
    if (!isGated(command) || (isOpen() && !command.isSettled)) return send(command, stream)
    open()
    command.reject(gateClosed())
    return command.promise
  }
  redis.on('ready', open)
  open()
  return {
    isOpen,
    async reopen() {
      close()
      await open()
    },
  }
}
