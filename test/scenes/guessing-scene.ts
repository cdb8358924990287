// Two instances that somebody attacks from as many addresses as he likes, by a clock of the test.

import type { Test } from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import type { ServiceConfig } from '../../src/config/service-config.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'

export const HOME = '192.0.2.1'
export const MINUTE_MS = 60_000
const START_MS = Date.UTC(2030, 0, 1)

/** The nth stranger, none in the network of another. */
export function stranger(n: number): string {
  return `198.51.${100 + Math.floor(n / 250)}.${n % 250}`
}

/** What is told of one attempt. */
export interface Told {
  readonly status: number
  readonly error: string
  /** Seconds; undefined where the answer does not say. */
  readonly retryAfter: number | undefined
  /** Everything that the caller sees but the date. */
  readonly bytes: string
}

export interface GuessingScene {
  /** One of the instances, to set things up through. */
  readonly first: TestApp
  readonly instances: readonly TestApp[]
  readonly redis: RedisProcess | undefined
  /** A public client for logins. */
  readonly client: { readonly id: string }
  readonly pass: (ms: number) => void
  /** One more instance on the same stores, as after a restart. */
  readonly startAnother: () => Promise<TestApp>
  /** Attempts go to one instance after the other. */
  readonly logIn: (username: string, password: string, ip: string) => Promise<Told>
  readonly post: (
    path: string,
    parameters: Record<string, string>,
    ip: string,
    headers?: Record<string, string>,
  ) => Promise<Response>
}

export type StoreName = 'redis' | 'postgresql'

export async function startGuessingScene(
  t: Test,
  store: StoreName,
  given: Partial<ServiceConfig> = {},
): Promise<GuessingScene> {
  let nowMs = START_MS
  const redis = store === 'redis' ? await startRedis(t) : undefined
  const config = {
    ...(redis && { redis: parseRedisUrl(redis.url) }),
    trustProxy: ['127.0.0.0/8'],
    ...given,
  }
  const clock = () => nowMs
  const first = await startApp(t, { config, clock })
  const startAnother = () => startApp(t, { config, clock, beside: first })
  const instances = [first, await startAnother()]
  const client = await first.makeClient({})
  for (const { service } of instances) await service.clients.reload()
  let turn = 0

  const scene: GuessingScene = {
    first,
    instances,
    redis,
    client,
    startAnother,
    pass(ms) {
      nowMs += ms
    },
    async post(path, parameters, ip, headers = {}) {
      turn += 1
      const instance = instances[turn % instances.length] ?? first
      return await instance.form(path, parameters, { 'x-forwarded-for': ip, ...headers })
    },
    async logIn(username, password, ip) {
      const login = { grant_type: 'password', client_id: client.id, username, password }
      return await tell(await scene.post('/token', login, ip))
    },
  }
  return scene
}

export async function tell(answer: Response): Promise<Told> {
  const text = await answer.text()
  const { error = '' } = JSON.parse(text) as { error?: string }
  const headers = [...answer.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
  const retryAfter = answer.headers.get('retry-after')
  return {
    status: answer.status,
    error,
    retryAfter: retryAfter === null ? undefined : Number(retryAfter),
    bytes: JSON.stringify([answer.status, headers, text]),
  }
}
