// Fewer system calls: commands that are sent in one turn of the event loop are written together.
// Under load, one write for each command was the most expensive part of a refresh
// (docs/performance.md).

import type { Redis } from 'ioredis'

/** Holds writes back until the end of the current turn of the event loop, never for a time. */
export function batchWrites(redis: Redis): void {
  const send = redis.sendCommand.bind(redis)
  let corked: Redis['stream'] | undefined
  redis.sendCommand = (command, stream) => {
    const socket = redis.stream
    if (redis.status === 'ready' && corked !== socket) {
      corked = socket
      socket.cork()
      setImmediate(() => {
        socket.uncork()
        if (corked === socket) corked = undefined
      })
    }
    return send(command, stream)
  }
}
