// Families in Redis: the port put together from the connection, its gates and the scripts.

import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { openRedis, type RedisClient } from '../../redis/redis-connection.ts'
import { describeRedisFailure, guardRedis } from '../../redis/redis-failure.ts'
import {
  type GateAccess,
  type RunScript,
  scriptRunner,
  sendCommand,
} from '../../redis/redis-script.ts'
import { checkServer, type ServerCheck } from '../../redis/redis-server-check.ts'
import type { RedisTarget } from '../../redis/redis-target.ts'
import type { Clock } from '../../runtime/clock.ts'
import { type Dependency, DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'
import type { FamilyStore } from '../family.ts'
import type { Journal } from '../journal.ts'
import { batchWrites } from './redis-batch.ts'
import { checkSlots, openCatchUp, type ServerHandle } from './redis-catch-up.ts'
import { openFamilyCommands, openJournalCommands } from './redis-commands.ts'
import { watchFailover } from './redis-failover-watch.ts'
import { gateConnection, type Replayed } from './redis-gate.ts'
import { type JournalReplay, openJournalReplay } from './redis-replay.ts'
import { SLOTS } from './redis-slot.ts'
import { type StoreClock, watchStoreClock } from './redis-store-clock.ts'

const READY_POLL_MS = 50

export interface RedisFamilyStore extends FamilyStore {
  /** What operators should change about the servers, as of the last connect or ping. */
  warnings(): string[]
  /**
   * Applies journal entries that this instance has not seen, for the poll: another instance may
   * have died between journal and store. Rejects with DependencyUnavailable.
   */
  applyNewEntries(): Promise<void>
  /** Resolves when family commands may be sent, or rejects with DependencyUnavailable. */
  ready(timeoutMs: number): Promise<void>
}

export interface RedisFamilyStoreDependencies {
  readonly target: RedisTarget
  readonly journal: Pick<Journal, 'readSince'>
  readonly clock: Clock
  /** Told of connection errors, in words that are safe to log. */
  readonly onConnectionError: (detail: string) => void
  /** Told each time that the journal could not be re-applied; the gate stays closed meanwhile. */
  readonly onReplayFailure: (detail: string, dependency: Dependency) => void
}

/** Starts connecting and returns at once; nothing passes before the journal was re-applied. */
export function openRedisFamilyStore(dependencies: RedisFamilyStoreDependencies): RedisFamilyStore {
  const { target, journal, clock, onConnectionError, onReplayFailure } = dependencies
  const client = openRedis(target, onConnectionError)
  const endWatch = watchFailover(target, client)
  const cluster = 'nodes' in client ? client : undefined
  const servers = new Map<Redis, ServerHandle>()
  const warnings = new WeakMap<Redis, readonly string[]>()
  const clocks = new WeakMap<Redis, StoreClock>()

  async function check(redis: Redis): Promise<ServerCheck> {
    const found = await checkServer(redis)
    warnings.set(redis, found.warnings)
    return found
  }

  async function replayOver(redis: Redis, replay: JournalReplay): Promise<Replayed> {
    // Before the replay: if the server is promoted during it, this must not count as done on a
    // master.
    if ((await check(redis)).isReplica) return 'is_replica'
    await clocks.get(redis)?.read()
    await replay.replay()
    return 'replayed'
  }

  forEachConnection(client, (redis) => {
    batchWrites(redis)
    clocks.set(redis, watchStoreClock(redis))
    const replay = openJournalReplay({ journal, clock, redis, cluster })
    const gate = gateConnection(
      redis,
      () => replayOver(redis, replay),
      // Until a Cluster client knows the slots, failing to reach a node says nothing about the
      // journal.
      (error) => client.status === 'ready' && onReplayFailure(...describeReplayFailure(error)),
    )
    servers.set(redis, { replay, gate })
    redis.once('end', () => servers.delete(redis))
  })

  function checkCoverage(): void {
    if (!cluster) return
    const handles = serversOf(cluster).map((redis) => servers.get(redis))
    checkSlots(handles, SLOTS)
  }

  function connectedServers(): Redis[] {
    const connected = serversOf(client)
    if (connected.length === 0) throw new DependencyUnavailable('redis', 'not connected')
    return connected
  }

  const journalCommands = openJournalCommands(guardedRunner(client, 'free'))

  async function pingServer(redis: Redis): Promise<void> {
    // Before the PING: a server that cannot write to its disk refuses that too, and the check says
    // why.
    await check(redis)
    await sendCommand(redis, 'ping', [], 'gated')
  }

  async function ping(): Promise<void> {
    await guardRedis(() => Promise.all(connectedServers().map(pingServer)))
    checkCoverage()
  }

  return {
    name: 'redis',
    ...openFamilyCommands(guardedRunner(client, 'gated')),
    end: journalCommands.end,
    putUser: journalCommands.putUser,
    revokeToken: journalCommands.revokeToken,
    applyNewEntries: openCatchUp({
      connected: connectedServers,
      handles: servers,
      checkCoverage,
      onLost: () => onReplayFailure('lost what it had confirmed', 'redis'),
    }),
    ping,
    ready: (timeoutMs) => retryFor(timeoutMs, ping),
    warnings: () => [...new Set(serversOf(client).flatMap((redis) => warnings.get(redis) ?? []))],
    async close() {
      endWatch()
      client.disconnect()
    },
  }
}

async function retryFor(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() >= giveUpAt) throw error
    }
    await delay(READY_POLL_MS)
  }
}

function guardedRunner(client: RedisClient, access: GateAccess): RunScript {
  const run = scriptRunner(client, access)
  return (script, keys, args) => guardRedis(() => run(script, keys, args))
}

/** The connections that must be up for every user to be served. */
function serversOf(client: RedisClient): Redis[] {
  return 'nodes' in client ? client.nodes('master') : [client]
}

/** Calls back for every connection that carries commands, now or later, before it carries any. */
function forEachConnection(client: RedisClient, found: (redis: Redis) => void): void {
  if (!('nodes' in client)) {
    found(client)
    return
  }
  client.on('+node', (redis: Redis) => {
    found(redis)
    // ioredis would connect with the first command, which a closed gate would then refuse.
    if (!redis.options.readOnly) redis.connect().catch(() => {})
  })
}

/** Re-applying may fail because PostgreSQL, where the journal is, is away. */
function describeReplayFailure(error: unknown): [detail: string, dependency: Dependency] {
  const dependency = error instanceof DependencyUnavailable ? error.dependency : 'redis'
  return [describeRedisFailure(error), dependency]
}
