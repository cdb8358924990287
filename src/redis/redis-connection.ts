// The connection to Redis: one server, TLS, a Cluster, or a master that Sentinels name. It never
// queues, never repeats a command by itself, and comes back by itself for as long as it is open.

import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { describeRedisFailure } from './redis-failure.ts'
import type { RedisTarget } from './redis-target.ts'

/** Below DEPENDENCY_DEADLINE_MS, so that the error says what happened, not only "deadline". */
export const COMMAND_TIMEOUT_MS = 1_000
/** A connection that is silent for so long is closed: the only way to notice a paused server. */
const SOCKET_TIMEOUT_MS = 1_200
const CONNECT_TIMEOUT_MS = 1_000
/** How long a peer that does not answer our FIN keeps the socket. */
const DISCONNECT_TIMEOUT_MS = 200
/** Service is back within 5 s after the server is (docs/semantics.md §12). */
const RECONNECT_DELAY_MAX_MS = 500
const SLOTS_REFRESH_INTERVAL_MS = 2_000

export type RedisClient = Redis | Cluster

/**
 * Starts connecting and returns at once. `onError` is told about every connection error, in words
 * that are safe to log.
 */
export function openRedis(target: RedisTarget, onError: (detail: string) => void): RedisClient {
  const client = target.mode === 'cluster' ? openCluster(target) : openSingle(target)
  // Without a listener ioredis prints the error as it is.
  client.on('error', (error: unknown) => onError(describeRedisFailure(error)))
  client.on('node error', (error: unknown) => onError(describeRedisFailure(error)))
  return client
}

function openSingle(target: RedisTarget): Redis {
  const retryStrategy = reconnectDelayMs
  if (target.mode === 'single') {
    return new Redis({ ...connectionOptions(target), ...target.nodes[0], retryStrategy })
  }
  return new Redis({
    ...connectionOptions(target),
    retryStrategy,
    sentinels: [...target.nodes],
    name: target.sentinelName ?? '',
    sentinelPassword: passwordOfSentinels(target),
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
    ...(target.tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
  })
}

function openCluster(target: RedisTarget): Cluster {
  return new Cluster([...target.nodes], {
    redisOptions: connectionOptions(target),
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectDelayMs,
    // A rotation sent twice looks like theft, so nothing that may have been executed is re-sent.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // So that a node that comes back is used again before a request for its slots has failed.
    slotsRefreshInterval: SLOTS_REFRESH_INTERVAL_MS,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    // Certificates name hosts, and ioredis would connect to the addresses behind them.
    ...(target.tls && {
      dnsLookup: (host: string, found: (error: null, address: string) => void) => found(null, host),
    }),
  })
}

function connectionOptions(target: RedisTarget) {
  return {
    username: target.username,
    password: target.password,
    db: target.db,
    ...(target.tls && { tls: {} }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: 5_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxLoadingRetryTime: RECONNECT_DELAY_MAX_MS,
    // A master that became a replica: the way to the new master is a new connection.
    reconnectOnError: (error) => error.message.includes('READONLY'),
  } satisfies RedisOptions
}

/** Options of a connection to one server that holds data, whichever way it was found. */
export function serverOptions(target: RedisTarget) {
  return { ...connectionOptions(target), retryStrategy: reconnectDelayMs } satisfies RedisOptions
}

/** Options of a connection to one Sentinel. */
export function sentinelOptions(target: RedisTarget) {
  return {
    password: passwordOfSentinels(target),
    ...(target.tls && { tls: {} }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: 5_000,
  } satisfies RedisOptions
}

/** A user name belongs to the data servers; a password without one is also given to Sentinels. */
function passwordOfSentinels({ username, password }: RedisTarget): string | undefined {
  return username === undefined ? password : undefined
}

export function reconnectDelayMs(attempt: number): number {
  return Math.min(attempt * 100, RECONNECT_DELAY_MAX_MS)
}
