// What goes wrong in a run, one thing at a time: how it begins, how long it is held, how it ends.

import type { TcpProxy } from '../contract/tcp-proxy.ts'
import type { RedisProcess, RedisSentinel } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { type ChaosScene, CROWD_ADDRESS, GRACE_SECONDS } from './chaos-scene.ts'
import type { Random } from './random.ts'

export interface Fault {
  /** The instances that reach no store of families from its beginning to its end. */
  readonly silent: readonly number[]
  readonly holdMs: number
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

/** By then the first attempt of everybody is older than a refresh may be repeated. */
const BEYOND_GRACE_MS = GRACE_SECONDS * 1000 + 800
const CROWD = 100

type MakeFault = (
  scene: ChaosScene,
  random: Random,
) => Fault | undefined | Promise<Fault | undefined>

export const FAULTS = {
  /** The store stops for longer than the grace, and carries on. */
  freeze: async (scene) => {
    const store = await storeOf(scene)
    // Where it is failed over meanwhile, another one acts.
    const silent = scene.sentinel ? [] : scene.instances.map(({ number }) => number)
    return { silent, holdMs: BEYOND_GRACE_MS, begin: store.pause, end: store.resume }
  },
  /** What one instance sends arrives when its clients have long gone elsewhere. */
  stall: (scene, random) =>
    onWire(scene, random, BEYOND_GRACE_MS, (wire) => ({
      begin: () => wire.stall(),
      end: () => wire.deliver(),
    })),
  /** What one instance sends is lost, and nobody says so. */
  hang: (scene, random) =>
    onWire(scene, random, BEYOND_GRACE_MS, (wire) => ({
      begin: () => wire.hang(),
      end: () => wire.heal(),
    })),
  cut: (scene, random) =>
    onWire(scene, random, random.between(100, 1_500), (wire) => ({
      begin: () => wire.cut(),
      end: () => wire.heal(),
    })),
  restartStore: async (scene, random) => {
    const store = await storeOf(scene)
    return { silent: [], holdMs: random.between(0, 1_000), begin: store.stop, end: store.start }
  },
  killRedis: async (scene, random) => {
    const store = await redisOf(scene)
    if (!store) return undefined
    return { silent: [], holdMs: random.between(0, 2_000), begin: store.kill, end: store.start }
  },
  /** A planned one, in which the old master goes on for a while. */
  failOver: ({ sentinel }, random) =>
    sentinel && {
      silent: [],
      holdMs: random.between(1_000, 4_000),
      begin: async () => void (await sentinel.sentinel.cli('SENTINEL', 'FAILOVER', 'mymaster')),
      end() {},
    },
  fillRedis: ({ redis }, random) =>
    redis && {
      silent: [],
      holdMs: random.between(200, 1_500),
      begin: async () => void (await redis.cli('CONFIG', 'SET', 'maxmemory', '1')),
      end: async () => void (await redis.cli('CONFIG', 'SET', 'maxmemory', '0')),
    },
  freezePostgres: ({ postgres, store }, random) =>
    store === 'postgresql'
      ? undefined
      : {
          silent: [],
          holdMs: random.between(500, 4_000),
          begin: () => postgres.pause(),
          end: () => postgres.resume(),
        },
  restartPostgres: ({ postgres, store }, random) =>
    store === 'postgresql'
      ? undefined
      : {
          silent: [],
          holdMs: random.between(0, 1_500),
          begin: () => postgres.stop(),
          end: () => postgres.start(),
        },
  /** Everybody comes at once, as after an outage. */
  crowd: (scene, random) => ({
    silent: [],
    holdMs: 0,
    begin: () => logInTogether(scene, random),
    end() {},
  }),
  /** Somebody sets a clock, by a minute or by hours. */
  setClock: ({ instances }, random) => {
    const { clock } = random.pick(instances)
    const offset = random.pick([-7_200, -3_600, -60, -5, 0, 5, 60, 3_600])
    return { silent: [], holdMs: 1_200, begin: () => clock.setTo(offset), end() {} }
  },
  restartInstance: ({ instances }, random) => {
    const instance = random.pick(instances)
    const signal = random.pick(['SIGTERM', 'SIGKILL'] as const)
    return { silent: [], holdMs: 0, begin: () => instance.restart(signal), end() {} }
  },
} as const satisfies Record<string, MakeFault>

export type FaultName = keyof typeof FAULTS

/** The server that decides about the families now. */
async function storeOf(scene: ChaosScene) {
  return (await redisOf(scene)) ?? scene.postgres
}

async function redisOf({ redis, sentinel }: ChaosScene): Promise<RedisProcess | undefined> {
  return sentinel ? await findMaster(sentinel) : redis
}

/** The one that has a replica, when there is one and no failover is under way. */
export async function findMaster({
  master,
  replica,
  sentinel,
}: RedisSentinel): Promise<RedisProcess> {
  return await until('a master and its replica', async () => {
    const told = (await sentinel.cli('SENTINEL', 'MASTER', 'mymaster')) as string[]
    if (told[told.indexOf('flags') + 1] !== 'master') return undefined
    const masters: RedisProcess[] = []
    for (const server of [master, replica]) {
      const info = String(await server.cli('INFO', 'replication').catch(() => ''))
      if (/^connected_slaves:[1-9]/m.test(info)) masters.push(server)
    }
    return masters.length === 1 && masters[0]
  })
}

function onWire(
  { instances }: ChaosScene,
  random: Random,
  holdMs: number,
  make: (wire: TcpProxy) => Pick<Fault, 'begin' | 'end'>,
): Fault | undefined {
  const { number, wire } = random.pick(instances)
  return wire && { silent: [number], holdMs, ...make(wire) }
}

async function logInTogether({ instances, client, crowd }: ChaosScene, random: Random) {
  const { username, password } = crowd
  const logins = Array.from({ length: CROWD }, async () => {
    const form = { grant_type: 'password', client_id: client.id, username, password }
    const { service } = random.pick(instances)
    const answer = await service.form('/token', form, { 'x-forwarded-for': CROWD_ADDRESS })
    const body = await answer.text()
    // Too many at once may be sent away for a while, and nothing else.
    if (![200, 429, 503].includes(answer.status)) throw new Error(`${answer.status}: ${body}`)
  })
  await Promise.all(logins)
}
