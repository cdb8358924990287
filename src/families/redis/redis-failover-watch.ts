// Listens to the Sentinels for a new master. After a planned failover the old master takes writes
// for some seconds, and nothing on the connection to it tells that it is no master any more.

import { Redis } from 'ioredis'
import {
  type RedisClient,
  reconnectDelayMs,
  sentinelOptions,
} from '../../redis/redis-connection.ts'
import type { RedisTarget } from '../../redis/redis-target.ts'

const SWITCHED = '+switch-master'

/**
 * Reconnects to the new master as soon as a Sentinel names it. The returned function ends the
 * watch.
 */
export function watchFailover(target: RedisTarget, client: RedisClient): () => void {
  if (target.mode !== 'sentinel' || 'nodes' in client) return () => {}
  let isSwitched = false

  function reconnect(): void {
    // A connection that is being made may have asked for the master before the switch. It is
    // replaced when it is ready, because ioredis would not try again if it were broken off now.
    isSwitched = client.status !== 'ready'
    if (!isSwitched) client.disconnect(true)
  }

  client.on('ready', () => {
    if (isSwitched) reconnect()
  })
  const watchers = target.nodes.map((node) => {
    const watcher = new Redis({
      ...sentinelOptions(target),
      ...node,
      enableReadyCheck: false,
      retryStrategy: reconnectDelayMs,
    })
    // One Sentinel fewer is no outage; when all are away the client itself reports it.
    watcher.on('error', () => {})
    watcher.on('message', (_channel: string, message: string) => {
      if (message.split(' ', 1)[0] === target.sentinelName) reconnect()
    })
    watcher.subscribe(SWITCHED).catch(() => {})
    return watcher
  })
  return () => {
    for (const watcher of watchers) watcher.disconnect()
  }
}
