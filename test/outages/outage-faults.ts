// What is taken from both instances at once: how it goes, how it comes back, and what of the stores is
// away meanwhile. `npm run outages` has a column for each.

import { runAsAdmin } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { type LostConnects, loseConnects } from './lost-connects.ts'
import type { Need } from './outage-rows.ts'
import type { OutageScene, Server } from './outage-scene.ts'
import { type TakenConnections, takeConnections } from './taken-connections.ts'

export type Part = 'postgresql' | 'redis'

export interface Fault {
  readonly down: readonly Part[]
  readonly takes: readonly Need[]
  begin(scene: OutageScene): Promise<unknown> | unknown
  end(scene: OutageScene): Promise<unknown> | unknown
}

/** How a server goes and comes back, whichever it is. */
interface Way {
  begin(server: Server<Pausable>): Promise<unknown> | unknown
  end(server: Server<Pausable>): Promise<unknown> | unknown
}

interface Pausable {
  kill(): Promise<void>
  start(): Promise<void>
  pause(): void
  resume(): void
}

const lost = new Map<Server<Pausable>, LostConnects>()

const WAYS = {
  killed: { begin: ({ process }) => process.kill(), end: ({ process }) => process.start() },
  frozen: { begin: ({ process }) => process.pause(), end: ({ process }) => process.resume() },
  /** Connections break, and new ones are refused. */
  cut: { begin: ({ wire }) => wire.cut(), end: ({ wire }) => wire.heal() },
  /** Connections are taken, and nothing is passed on. */
  silent: { begin: ({ wire }) => wire.hang(), end: ({ wire }) => wire.heal() },
  /** Nothing is passed on, and no SYN is answered. */
  unreachable: {
    async begin(server) {
      server.wire.vanish()
      lost.set(server, await loseConnects(server.wire.port))
    },
    async end(server) {
      await lost.get(server)?.end()
      await server.wire.heal()
    },
  },
} as const satisfies Record<string, Way>

const ALL_OF_REDIS = ['familyReads', 'familyWrites', 'familyRoom'] as const
const ALL_OF_POSTGRESQL = ['accountReads', 'accountWrites'] as const

function gone(way: Way, down: readonly Part[]): Fault {
  const serversOf = ({ postgres, redis }: OutageScene) =>
    down.map((part) => (part === 'redis' ? redis : postgres))
  return {
    down,
    takes: [
      ...(down.includes('redis') ? ALL_OF_REDIS : []),
      ...(down.includes('postgresql') ? ALL_OF_POSTGRESQL : []),
    ],
    begin: (scene) => Promise.all(serversOf(scene).map((server) => way.begin(server))),
    end: (scene) => Promise.all(serversOf(scene).map((server) => way.end(server))),
  }
}

/** Redis answers, and refuses some of what it is told. */
function refusing(
  takes: readonly Need[],
  begin: readonly string[],
  end: readonly string[],
  down: readonly Part[] = [],
): Fault {
  return {
    down,
    takes,
    begin: ({ redis }) => redis.process.cli(...begin),
    end: ({ redis }) => redis.process.cli(...end),
  }
}

/**
 * A master that becomes a replica is not believed any more, from when an instance has noticed: until then,
 * it answers what is only read as before.
 */
function demoted(): Fault {
  const fault = refusing(
    ALL_OF_REDIS,
    ['REPLICAOF', '127.0.0.1', '1'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['redis'],
  )
  return {
    ...fault,
    async begin(scene) {
      await fault.begin(scene)
      await until('both instances to notice', async () => {
        const told = await Promise.all(scene.instances.map((one) => one.readiness()))
        return told.every(({ body }) => body.dependencies.redis === 'down')
      })
    },
  }
}

let taken: TakenConnections | undefined

const BOTH = ['postgresql', 'redis'] as const

export const FAULTS = {
  'Redis killed': gone(WAYS.killed, ['redis']),
  'Redis frozen': gone(WAYS.frozen, ['redis']),
  'Redis cut off': gone(WAYS.cut, ['redis']),
  'Redis silent': gone(WAYS.silent, ['redis']),
  'Redis unreachable': gone(WAYS.unreachable, ['redis']),
  'Redis full': refusing(
    ['familyRoom'],
    ['CONFIG', 'SET', 'maxmemory', '1'],
    ['CONFIG', 'SET', 'maxmemory', '0'],
  ),
  'Redis without its replica': refusing(
    ['familyWrites', 'familyRoom'],
    ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
    ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
  ),
  'Redis read-only': demoted(),
  'PostgreSQL killed': gone(WAYS.killed, ['postgresql']),
  'PostgreSQL frozen': gone(WAYS.frozen, ['postgresql']),
  'PostgreSQL cut off': gone(WAYS.cut, ['postgresql']),
  'PostgreSQL silent': gone(WAYS.silent, ['postgresql']),
  'PostgreSQL unreachable': gone(WAYS.unreachable, ['postgresql']),
  'PostgreSQL without connections': {
    down: ['postgresql'],
    takes: ALL_OF_POSTGRESQL,
    begin: async ({ postgres }) => {
      taken = await takeConnections(postgres.process.url)
    },
    end: () => taken?.giveBack(),
  },
  'PostgreSQL read-only': {
    down: [],
    takes: ['accountWrites'],
    begin: (scene) => setReadOnly(scene, 'on'),
    end: (scene) => setReadOnly(scene, 'off'),
  },
  'both killed': gone(WAYS.killed, BOTH),
  'both frozen': gone(WAYS.frozen, BOTH),
  'both unreachable': gone(WAYS.unreachable, BOTH),
} as const satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS

/** For the connections that there are as well. */
async function setReadOnly({ postgres: { process } }: OutageScene, value: 'on' | 'off') {
  await runAsAdmin(process.url, `ALTER SYSTEM SET default_transaction_read_only = ${value}`)
  await runAsAdmin(process.url, 'SELECT pg_reload_conf()')
  await until('the new setting', async () => {
    const [row] = await runAsAdmin(process.url, 'SHOW default_transaction_read_only')
    return (
      (row as { default_transaction_read_only: string }).default_transaction_read_only === value
    )
  })
}
