// Hears from the Sentinels that another server has become the master. A planned failover leaves the
// old one writable for seconds, and nothing on the connection to it would tell.

import { Redis } from 'ioredis'
import {
  type RedisClient,
  reconnectDelayMs,
  sentinelOptions,
} from '../../redis/redis-connection.ts'
import type { RedisTarget } from '../../redis/redis-target.ts'

const SWITCHED = '+switch-master'

/** Leaves an old master at once for the new one. Gives the end of the watch. */
export function watchFailover(target: RedisTarget, client: RedisClient): () => void {
  if (target.mode !== 'sentinel' || 'nodes' in client) return () => {}
  let isSwitched = false

  function leave(): void {
    // A connection that is being made has asked for the master before; breaking it off would leave
    // ioredis without any.
    isSwitched = client.status !== 'ready'
    if (!isSwitched) client.disconnect(true)
  }

  client.on('ready', () => {
    if (isSwitched) leave()
  })
  const watchers = target.nodes.map((node) => {
    const watcher = new Redis({
      ...sentinelOptions(target),
      ...node,
      enableReadyCheck: false,
      retryStrategy: reconnectDelayMs,
    })
    // One Sentinel fewer is no outage; that all are away is told by the client.
    watcher.on('error', () => {})
    watcher.on('message', (_channel: string, message: string) => {
      if (message.split(' ', 1)[0] === target.sentinelName) leave()
    })
    watcher.subscribe(SWITCHED).catch(() => {})
    return watcher
  })
  return () => {
    for (const watcher of watchers) watcher.disconnect()
  }
}
