// Three instances, each a process with wires of its own to one PostgreSQL and one Redis, and a hand
// on all of it.

import { openTcpProxy, type TcpProxy } from '../contract/tcp-proxy.ts'
import {
  type Environment,
  type LineageProcess,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { openWrongClock, type WrongClock } from '../support/wrong-clock.ts'
import type { PlantedService } from './planted-service.ts'
import {
  type ChaosRedis,
  openClusterRedis,
  openSentinelRedis,
  openSingleRedis,
} from './redis-servers.ts'

/** Where the families are: one Redis, one that fails over by Sentinels, a Cluster, PostgreSQL. */
const STORES = {
  redis: openSingleRedis,
  sentinel: openSentinelRedis,
  cluster: openClusterRedis,
  postgresql: undefined,
} as const satisfies Record<string, ((scope: Scope) => Promise<ChaosRedis>) | undefined>

export type StoreName = keyof typeof STORES
export const STORE_NAMES = Object.keys(STORES) as StoreName[]

/** Short, so that an outage outlasts it. */
export const GRACE_SECONDS = 2
/** By then the first attempt of everybody is older than a refresh may be repeated. */
export const BEYOND_GRACE_MS = GRACE_SECONDS * 1000 + 800

export interface Instance {
  readonly number: number
  /** The process as it runs now; it keeps its port. */
  readonly service: LineageProcess
  readonly clock: WrongClock
  /** To the store of the families; Sentinels and Clusters tell addresses past every wire. */
  readonly wire: TcpProxy | undefined
  /** To PostgreSQL, where the families are elsewhere. */
  readonly postgresWire: TcpProxy | undefined
  /** Ends the process with that signal and starts it again. */
  restart(signal: NodeJS.Signals): Promise<void>
  /** The sessions of the theft alarms that it has logged, over all its lives. */
  alarms(): string[]
}

export interface ChaosScene {
  readonly store: StoreName
  readonly instances: readonly Instance[]
  readonly postgres: TestPostgres
  /** Undefined where families are in PostgreSQL. */
  readonly redis: ChaosRedis | undefined
  readonly client: { readonly id: string }
  readonly users: readonly ChaosUser[]
  /** Logs in by the hundred, and has no session that anybody misses. */
  readonly crowd: ChaosUser
}

export interface ChaosUser {
  readonly id: string
  readonly username: string
  readonly password: string
}

/**
 * Whoever logs in while his user is disabled has guessed wrong, as nobody may learn that the password
 * was right; ten times in a quarter of an hour, and an honest user is no longer served. So the driver's
 * own address counts no guesses, and the crowd comes from elsewhere.
 */
const HONEST_ENV = { LINEAGE_THROTTLE_EXEMPT: '127.0.0.1', LINEAGE_TRUST_PROXY: '127.0.0.1' }
export const CROWD_ADDRESS = '198.51.100.7'

const FURTHER = [1, 2]
/** Seconds by which the clocks of the instances are wrong at first. */
const OFFSETS = [0, 60, -3_600]
/** A server that is killed keeps what it confirmed; so few connections that all can be taken. */
const POSTGRES_SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=60']

export interface ChaosSceneOptions {
  readonly store: StoreName
  readonly users: number
  /** Three unless given. */
  readonly instances?: 1 | 3
  /** Another service than the one of this checkout. */
  readonly planted?: PlantedService | undefined
}

export async function openChaosScene(
  scope: Scope,
  { store, users: userCount, instances: count = 3, planted }: ChaosSceneOptions,
): Promise<ChaosScene> {
  const postgres = await startPostgres(scope, POSTGRES_SETTINGS)
  const redis = await STORES[store]?.(scope)
  const start = (number: number) => startInstance(scope, { number, postgres, redis, planted })
  // The first one migrates, the others find everything there.
  const first = await start(0)
  const instances = [first, ...(await Promise.all(count === 1 ? [] : FURTHER.map(start)))]
  const { makeClient, makeUser } = first.service
  const client = await patiently('a client', () =>
    makeClient({ refreshGraceSeconds: GRACE_SECONDS }),
  )
  const users: ChaosUser[] = []
  for (let i = 0; i < userCount; i += 1) users.push(await patiently('a user', makeUser))
  const crowd = await patiently('the crowd', makeUser)
  for (const { service } of instances) {
    await until('the client at every instance', async () => {
      const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: 'lrt_x' }
      const answer = await service.form('/token', form)
      return ((await answer.json()) as { error: string }).error === 'invalid_grant'
    })
  }
  return { store, instances, postgres, redis, client, users, crowd }
}

/** A busy machine may answer 503 before anything has gone wrong. */
async function patiently<T>(what: string, make: () => Promise<T>): Promise<T> {
  return await until(what, () => make().catch(() => undefined))
}

interface InstancePlace {
  readonly number: number
  readonly postgres: TestPostgres
  readonly redis: ChaosRedis | undefined
  readonly planted: PlantedService | undefined
}

async function startInstance(scope: Scope, place: InstancePlace): Promise<Instance> {
  const { number, postgres, redis, planted } = place
  const clock = openWrongClock(OFFSETS[number] ?? 0)
  const toPostgres = await openWire(scope, postgres.url)
  const toRedis = redis?.single && (await openWire(scope, redis.url))
  const env = {
    ...serverEnvironment(toPostgres.url, toRedis?.url ?? redis?.url),
    ...clock.env,
    ...HONEST_ENV,
  }
  const start = (more: Environment = {}) => startLineage(scope, { ...env, ...more }, planted)
  let service = await start()
  const lives = [service]
  return {
    number,
    clock,
    wire: redis ? toRedis?.wire : toPostgres.wire,
    postgresWire: redis && toPostgres.wire,
    get service() {
      return service
    },
    async restart(signal) {
      service.signal(signal)
      await service.exited
      service = await start({ PORT: String(service.port) })
      lives.push(service)
    },
    alarms: () =>
      lives
        .flatMap((life) => life.log('refresh.reuse_detected'))
        .map((line) => String(line.sessionId)),
  }
}

async function openWire(scope: Scope, url: string): Promise<{ wire: TcpProxy; url: string }> {
  const target = new URL(url)
  const wire = await openTcpProxy(scope, { host: '127.0.0.1', port: Number(target.port) })
  target.hostname = '127.0.0.1'
  target.port = String(wire.port)
  return { wire, url: target.href }
}
