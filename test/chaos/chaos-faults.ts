// What goes wrong in a run, one thing at a time: how it begins, how long it is held, how it ends.

import { type ChaosScene, GRACE_SECONDS, type Instance } from './chaos-scene.ts'
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

type MakeFault = (scene: ChaosScene, random: Random) => Fault | undefined

export const FAULTS = {
  /** The store stops for longer than the grace, and carries on. */
  freeze: (scene) => ({
    silent: numbersOf(scene),
    holdMs: BEYOND_GRACE_MS,
    begin: () => storeOf(scene).pause(),
    end: () => storeOf(scene).resume(),
  }),
  /** What one instance sends arrives when its clients have long gone elsewhere. */
  stall: (scene, random) =>
    onWire(scene, random, BEYOND_GRACE_MS, ({ wire }) => ({
      begin: () => wire.stall(),
      end: () => wire.deliver(),
    })),
  /** What one instance sends is lost, and nobody says so. */
  hang: (scene, random) =>
    onWire(scene, random, BEYOND_GRACE_MS, ({ wire }) => ({
      begin: () => wire.hang(),
      end: () => wire.heal(),
    })),
  cut: (scene, random) =>
    onWire(scene, random, random.between(100, 1_500), ({ wire }) => ({
      begin: () => wire.cut(),
      end: () => wire.heal(),
    })),
  restartStore: (scene, random) => ({
    silent: [],
    holdMs: random.between(0, 1_000),
    begin: () => storeOf(scene).stop(),
    end: () => storeOf(scene).start(),
  }),
  killRedis: ({ redis }, random) =>
    redis && {
      silent: [],
      holdMs: random.between(0, 1_000),
      begin: () => redis.kill(),
      end: () => redis.start(),
    },
  fillRedis: ({ redis }, random) =>
    redis && {
      silent: [],
      holdMs: random.between(200, 1_500),
      begin: async () => void (await redis.cli('CONFIG', 'SET', 'maxmemory', '1')),
      end: async () => void (await redis.cli('CONFIG', 'SET', 'maxmemory', '0')),
    },
  freezePostgres: ({ postgres, redis }, random) =>
    redis && {
      silent: [],
      holdMs: random.between(500, 4_000),
      begin: () => postgres.pause(),
      end: () => postgres.resume(),
    },
  restartPostgres: ({ postgres, redis }, random) =>
    redis && {
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

function numbersOf({ instances }: ChaosScene): number[] {
  return instances.map(({ number }) => number)
}

/** The server that holds the families. */
function storeOf({ redis, postgres }: ChaosScene) {
  return redis ?? postgres
}

function onWire(
  { instances }: ChaosScene,
  random: Random,
  holdMs: number,
  make: (instance: Instance) => Pick<Fault, 'begin' | 'end'>,
): Fault {
  const instance = random.pick(instances)
  return { silent: [instance.number], holdMs, ...make(instance) }
}

async function logInTogether({ instances, client, crowd }: ChaosScene, random: Random) {
  const { username, password } = crowd
  const logins = Array.from({ length: CROWD }, async () => {
    const form = { grant_type: 'password', client_id: client.id, username, password }
    const answer = await random.pick(instances).service.form('/token', form)
    const body = await answer.text()
    // Too many at once may be sent away for a while, and nothing else.
    if (![200, 429, 503].includes(answer.status)) throw new Error(`${answer.status}: ${body}`)
  })
  await Promise.all(logins)
}
