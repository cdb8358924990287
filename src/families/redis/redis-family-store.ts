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
import { UNWATCHED, type WatchCall } from '../../runtime/call-watch.ts'
import type { Clock } from '../../runtime/clock.ts'
import { type Dependency, DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'
import type { FamilyStore } from '../family-store.ts'
import type { Journal } from '../journal.ts'
import { batchWrites } from './redis-batch.ts'
import { checkSlots, openCatchUp, type ServerHandle } from './redis-catch-up.ts'
import { openFamilyCommands, openJournalCommands } from './redis-commands.ts'
import { watchFailover } from './redis-failover-watch.ts'
import { gateConnection, type Replayed } from './redis-gate.ts'
import { openJournalReplay } from './redis-replay.ts'
import { SLOTS } from './redis-slot.ts'
import { watchStoreClock } from './redis-store-clock.ts'

const READY_POLL_MS = 50

export interface RedisFamilyStore extends FamilyStore {
  /** For what is no family and needs no journal; rejects with DependencyUnavailable. */
  readonly runFree: RunScript
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
  /** Told how many entries of the journal were applied again to a server before its gate opened. */
  readonly onReplayed?: ((count: number) => void) | undefined
  /** Told of every script that is run for a caller. */
  readonly watch?: WatchCall | undefined
}

/** Starts connecting and returns at once; nothing passes before the journal was re-applied. */
export function openRedisFamilyStore(dependencies: RedisFamilyStoreDependencies): RedisFamilyStore {
  const { target, onConnectionError, onReplayFailure, watch = UNWATCHED } = dependencies
  const client = openRedis(target, onConnectionError)
  const endWatch = watchFailover(target, client)
  const servers = gateServers(client, dependencies)
  const runFree = guardedRunner(client, 'free', watch)
  const { end, putUser, revokeToken } = openJournalCommands(runFree)

  async function pingServer(redis: Redis): Promise<void> {
    // Before the PING: a server that cannot write to its disk refuses that too, and the check says
    // why.
    await servers.check(redis)
    await sendCommand(redis, 'ping', [], 'gated')
  }

  async function ping(): Promise<void> {
    await guardRedis(() => Promise.all(servers.connected().map(pingServer)))
    servers.checkCoverage()
  }

  return {
    name: 'redis',
    runFree,
    ...openFamilyCommands(guardedRunner(client, 'gated', watch)),
    end,
    putUser,
    revokeToken,
    applyNewEntries: openCatchUp({
      ...servers,
      onLost: () => onReplayFailure('lost what it had confirmed', 'redis'),
    }),
    ping,
    ready: (timeoutMs) => retryFor(timeoutMs, ping),
    warnings: () => servers.warnings(),
    async close() {
      endWatch()
      client.disconnect()
    },
  }
}

/** The servers behind a client, each with its gate. */
interface GatedServers {
  readonly handles: ReadonlyMap<Redis, ServerHandle>
  /** The connections that must be up; throws DependencyUnavailable when there are none. */
  connected(): Redis[]
  /** What the server says of itself now; its warnings are kept until the next time. */
  check(redis: Redis): Promise<ServerCheck>
  /** Throws DependencyUnavailable when some users cannot be served by those that are connected. */
  checkCoverage(): void
  warnings(): string[]
}

/** Closes a gate before each server, now or later, until the journal was re-applied to it. */
function gateServers(
  client: RedisClient,
  { journal, clock, onReplayFailure, onReplayed }: RedisFamilyStoreDependencies,
): GatedServers {
  const cluster = 'nodes' in client ? client : undefined
  const handles = new Map<Redis, ServerHandle>()
  const warnings = new WeakMap<Redis, readonly string[]>()

  async function check(redis: Redis): Promise<ServerCheck> {
    const found = await checkServer(redis)
    warnings.set(redis, found.warnings)
    return found
  }

  forEachConnection(client, (redis) => {
    batchWrites(redis)
    const readClock = watchStoreClock(redis)
    const replay = openJournalReplay({ journal, clock, redis, cluster, onReplayed })

    async function replayIntoMaster(): Promise<Replayed> {
      // Before the replay: if the server is promoted during it, this must not count as done on a
      // master.
      if ((await check(redis)).isReplica) return 'is_replica'
      await readClock()
      await replay.replay()
      return 'replayed'
    }

    const gate = gateConnection(
      redis,
      replayIntoMaster,
      // Until a Cluster client knows the slots, failing to reach a node says nothing about the
      // journal.
      (error) => client.status === 'ready' && onReplayFailure(...describeReplayFailure(error)),
    )
    handles.set(redis, { replay, gate })
    redis.once('end', () => handles.delete(redis))
  })

  return {
    handles,
    connected() {
      const connected = serversOf(client)
      if (connected.length === 0) throw new DependencyUnavailable('redis', 'not connected')
      return connected
    },
    check,
    checkCoverage() {
      if (!cluster) return
      const masters = serversOf(cluster).map((redis) => handles.get(redis))
      checkSlots(masters, SLOTS)
    },
    warnings: () => [...new Set(serversOf(client).flatMap((redis) => warnings.get(redis) ?? []))],
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

function guardedRunner(client: RedisClient, access: GateAccess, watch: WatchCall): RunScript {
  const run = scriptRunner(client, access, watch)
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
