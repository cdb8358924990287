// What goes wrong with an instance, with its clock, or with how many come at once.

import { BEYOND_GRACE_MS, type ChaosScene, CROWD_ADDRESS } from '../chaos-scene.ts'
import type { Random } from '../random.ts'
import type { MakeFault } from './fault.ts'

const CROWD = 100
/** Longer than any client of a run waits for its answer. */
const STANDSTILL_MS = 5_600

export const INSTANCE_FAULTS = {
  /** Everybody comes at once, as after an outage. */
  crowd: (scene, random) => ({
    holdMs: 0,
    begin: () => logInTogether(scene, random),
    end() {},
  }),
  /** Somebody sets a clock, by a minute or by hours. */
  setClock: ({ instances }, random) => {
    const { clock } = random.pick(instances)
    const offset = random.pick([-7_200, -3_600, -60, -5, 0, 5, 60, 3_600])
    return { holdMs: 1_200, begin: () => clock.setTo(offset), end() {} }
  },
  restartInstance: ({ instances }, random) => {
    const instance = random.pick(instances)
    const signal = random.pick(['SIGTERM', 'SIGKILL'] as const)
    return { holdMs: 0, begin: () => instance.restart(signal), end() {} }
  },
  /** One stands still (SIGSTOP), for longer than the grace or than its clients wait, and goes on. */
  stopInstance: ({ instances }, random) => {
    const { service } = random.pick(instances)
    return {
      holdMs: random.pick([BEYOND_GRACE_MS, STANDSTILL_MS]),
      begin: () => service.signal('SIGSTOP'),
      end: () => service.signal('SIGCONT'),
    }
  },
} as const satisfies Record<string, MakeFault>

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
