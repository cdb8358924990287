// The servers of Redis that `lineage doctor` looks at one by one: those that must be up to serve every
// user, and the replicas that would take over from them.

import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type RedisClient, sentinelOptions, serverOptions } from '../../redis/redis-connection.ts'
import type { RedisTarget } from '../../redis/redis-target.ts'

const PATIENCE_MS = 4_000
const POLL_MS = 50

/** Empty when they could not be reached in time. */
export async function waitForMasters(client: RedisClient): Promise<readonly Redis[]> {
  return await waitFor(() => ('nodes' in client ? client.nodes('master') : [client]))
}

/**
 * Those of a Cluster and those that a Sentinel names; the caller disconnects them. One that cannot be
 * reached is there with another status than `ready`.
 */
export async function openReplicas(
  target: RedisTarget,
  client: RedisClient,
): Promise<readonly Redis[]> {
  const places =
    'nodes' in client
      ? client.nodes('slave').map(({ options: { host = '', port = 0 } }) => ({ host, port }))
      : await listBySentinels(target)
  const replicas = places.map(
    (place) => new Redis({ ...serverOptions(target), ...place, readOnly: 'nodes' in client }),
  )
  // Without a listener ioredis prints the error as it is.
  for (const replica of replicas) replica.on('error', () => {})
  await waitFor(() => replicas)
  return replicas
}

async function waitFor(list: () => readonly Redis[]): Promise<readonly Redis[]> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (performance.now() < giveUpAt) {
    const servers = list()
    for (const server of servers) {
      if (server.status === 'wait') server.connect().catch(() => {})
    }
    if (servers.length > 0 && servers.every(({ status }) => status === 'ready')) return servers
    if (servers.length === 0 && performance.now() > giveUpAt - PATIENCE_MS / 2) break
    await delay(POLL_MS)
  }
  return []
}

/** What the first Sentinel that answers says. */
async function listBySentinels(
  target: RedisTarget,
): Promise<readonly { readonly host: string; readonly port: number }[]> {
  if (target.mode !== 'sentinel') return []
  for (const node of target.nodes) {
    const sentinel = new Redis({
      ...sentinelOptions(target),
      ...node,
      commandTimeout: 1_000,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    })
    sentinel.on('error', () => {})
    try {
      const rows = (await sentinel.call(
        'SENTINEL',
        'REPLICAS',
        target.sentinelName ?? '',
      )) as string[][]
      return rows.map((row) => {
        const field = (name: string) => row[row.indexOf(name) + 1] ?? ''
        return { host: field('ip'), port: Number(field('port')) }
      })
    } catch {
      // The next one may answer.
    } finally {
      sentinel.disconnect()
    }
  }
  return []
}
