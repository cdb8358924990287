// Killed under the traffic of people: the service, all its workers or some, or the whole machine with both
// stores.

import type { Random } from '../chaos/random.ts'
import type { Environment, LineageProcess } from '../support/lineage-process.ts'
import { signalTree } from '../support/process-tree.ts'
import { until } from '../support/until.ts'
import type { Act, RunRound } from './act.ts'
import { type CrashScene, openCrashScene, patiently, toDamages } from './crash-scene.ts'
import { endMeasuring, type Fuse } from './fuse.ts'
import type { Damage } from './invariants.ts'
import { openPerson, type Person } from './person.ts'

const PEOPLE = 8
/** A refresh whose answer was lost may be repeated however slow this machine is. */
const GRACE_SECONDS = 300

interface Killing {
  readonly name: string
  kill(service: LineageProcess): void
  /** Brings back what it took along besides the service. */
  mend(scene: CrashScene): Promise<void>
}

type MakeKilling = (scene: CrashScene, random: Random) => Killing

const nothingElse = async () => {}

const killProcess: MakeKilling = () => ({
  name: 'process',
  kill: (service) => service.signal('SIGKILL'),
  mend: nothingElse,
})

/** The supervisor alone, or it and all its workers at once. */
const killWorkers: MakeKilling = (_, random) =>
  random.next() < 0.5
    ? { name: 'supervisor', kill: (service) => service.signal('SIGKILL'), mend: nothingElse }
    : {
        name: 'process tree',
        kill: (service) => signalTree(service.pid, 'SIGKILL'),
        mend: nothingElse,
      }

/** As a machine that loses its processes all at once, and keeps its disks. */
const killMachine: MakeKilling = ({ postgres, redis }) => {
  let down: Promise<unknown> = Promise.resolve()
  return {
    name: 'machine',
    kill(service) {
      service.signal('SIGKILL')
      down = Promise.all([postgres.kill(), redis?.kill()])
    },
    async mend() {
      await down
      await Promise.all([postgres.start(), redis?.start()])
    },
  }
}

interface TrafficOptions {
  readonly withRedis?: boolean
  readonly env?: Environment
  readonly makeKilling: MakeKilling
}

function trafficAct(what: string, share: number, options: TrafficOptions): Act {
  const { makeKilling } = options
  return {
    what,
    share,
    async open(scope, random) {
      const scene = await openCrashScene(scope, options)
      const first = await scene.start()
      let service = first
      const client = await patiently(() => first.makeClient({ refreshGraceSeconds: GRACE_SECONDS }))
      const people: Person[] = []
      for (let number = 0; number < PEOPLE; number += 1) {
        const account = await patiently(() => first.makeUser())
        people.push(openPerson(account, client, random.fork(`person ${number}`)))
      }
      const lives = [service]

      const round: RunRound = async (fuseOf, chance) => {
        const fuse = fuseOf('traffic')
        scene.attach(fuse)
        const killing = makeKilling(scene, chance)
        const dying = service
        fuse.light(() => killing.kill(dying))
        await goOn(people, dying, fuse)
        scene.attach(undefined)
        await dying.exited
        const workers = await untilGone(dying)
        await killing.mend(scene)
        service = await scene.start()
        lives.push(service)
        if (!scene.redis) await untilJournalApplied(scene)
        const broken = (await Promise.all(people.map((person) => person.settle(service)))).flat()
        const alarms = findFalseAlarms(lives, people)
        return {
          killed: killing.name,
          damages: [...workers, ...toDamages([...broken, ...alarms]), ...(await scene.walk())],
        }
      }
      return round
    },
  }
}

/** Everybody goes on until nobody answers; to measure it, until the time is over. */
async function goOn(people: readonly Person[], service: LineageProcess, fuse: Fuse): Promise<void> {
  const stop = endMeasuring(fuse)
  await Promise.all(
    people.map(async (person) => {
      while (await person.step(service));
    }),
  )
  stop()
  fuse.burnOut()
}

/**
 * With families in PostgreSQL there is no gate: what was committed without an answer reaches them by the
 * poll, a moment after the start (docs/semantics.md §4), and until then some sessions live.
 */
async function untilJournalApplied(scene: CrashScene): Promise<void> {
  await until('the journal in the store', async () => {
    const damages = await scene.walk()
    return damages.every(({ invariant }) => invariant !== 'journal_applied')
  })
}

/** Workers whose supervisor was killed end by themselves. */
async function untilGone({ port }: LineageProcess): Promise<Damage[]> {
  const isListening = () =>
    fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(1_000) }).then(
      () => true,
      () => false,
    )
  try {
    await until('the end of all processes', async () => !(await isListening()))
    return []
  } catch (error) {
    return [{ invariant: 'processes_gone', detail: String(error) }]
  }
}

/** Theft alarms for sessions whose old tokens nobody has presented. */
function findFalseAlarms(lives: readonly LineageProcess[], people: readonly Person[]): string[] {
  const honest = people.flatMap(({ sessions }) => sessions).filter(({ isRobbed }) => !isRobbed)
  const ids = new Set(honest.map(({ id }) => id))
  const alarms = lives.slice(-2).flatMap((life) => life.log('refresh.reuse_detected'))
  return alarms
    .filter(({ sessionId }) => ids.has(String(sessionId)))
    .map(({ sessionId }) => `a theft alarm for the honest session ${sessionId}`)
}

export const TRAFFIC_ACTS = {
  rotations: trafficAct('refreshes, logins and endings; the service dies', 6, {
    makeKilling: killProcess,
  }),
  workers: trafficAct('the same with two workers; the supervisor dies, alone or with them', 4, {
    env: { LINEAGE_WORKERS: '2' },
    makeKilling: killWorkers,
  }),
  machine: trafficAct('the same; service, Redis and PostgreSQL die together', 4, {
    makeKilling: killMachine,
  }),
  postgresql: trafficAct('the same with families in PostgreSQL, which dies too', 3, {
    withRedis: false,
    makeKilling: killMachine,
  }),
} as const satisfies Record<string, Act>
