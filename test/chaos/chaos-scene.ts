// Three instances, each a process with wires of its own to one PostgreSQL and one Redis, and a hand
// on all of it.

import { openTcpProxy, type TcpProxy } from '../contract/tcp-proxy.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { openWrongClock, type WrongClock } from '../support/wrong-clock.ts'

export type StoreName = 'redis' | 'postgresql'

/** Short, so that an outage outlasts it. */
export const GRACE_SECONDS = 2

export interface Instance {
  readonly number: number
  /** The process as it runs now; it keeps its port. */
  readonly service: LineageProcess
  readonly clock: WrongClock
  /** To the store of the families. */
  readonly wire: TcpProxy
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
  readonly redis: RedisProcess | undefined
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

const FURTHER = [1, 2]
/** Seconds by which the clocks of the instances are wrong at first. */
const OFFSETS = [0, 60, -3_600]

export async function openChaosScene(
  scope: Scope,
  store: StoreName,
  userCount: number,
): Promise<ChaosScene> {
  const postgres = await startPostgres(scope)
  const redis = store === 'redis' ? await startRedis(scope) : undefined
  const start = (number: number) => startInstance(scope, number, postgres.url, redis?.url)
  // The first one migrates, the others find everything there.
  const first = await start(0)
  const instances = [first, ...(await Promise.all(FURTHER.map(start)))]
  const client = await first.service.makeClient({ refreshGraceSeconds: GRACE_SECONDS })
  const users: ChaosUser[] = []
  for (let i = 0; i < userCount; i += 1) users.push(await first.service.makeUser())
  for (const { service } of instances) {
    await until('the client at every instance', async () => {
      const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: 'lrt_x' }
      const answer = await service.form('/token', form)
      return ((await answer.json()) as { error: string }).error === 'invalid_grant'
    })
  }
  return { store, instances, postgres, redis, client, users, crowd: await first.service.makeUser() }
}

async function startInstance(
  scope: Scope,
  number: number,
  postgresUrl: string,
  redisUrl: string | undefined,
): Promise<Instance> {
  const target = new URL(redisUrl ?? postgresUrl)
  const wire = await openTcpProxy(scope, { host: '127.0.0.1', port: Number(target.port) })
  target.hostname = '127.0.0.1'
  target.port = String(wire.port)
  // A bare URL of Redis has no path, and is given none.
  const wired = redisUrl === undefined ? target.href : target.href.replace(/\/$/, '')
  const clock = openWrongClock(OFFSETS[number] ?? 0)
  const env = {
    ...(redisUrl ? serverEnvironment(postgresUrl, wired) : serverEnvironment(wired)),
    ...clock.env,
  }
  let service = await startLineage(scope, env)
  const lives = [service]
  return {
    number,
    clock,
    wire,
    get service() {
      return service
    },
    async restart(signal) {
      service.signal(signal)
      await service.exited
      service = await startLineage(scope, { ...env, PORT: String(service.port) })
      lives.push(service)
    },
    alarms: () =>
      lives
        .flatMap((life) => life.log('refresh.reuse_detected'))
        .map((line) => String(line.sessionId)),
  }
}
