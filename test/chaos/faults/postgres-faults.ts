// What goes wrong with PostgreSQL, whether it has the families or not.

import pg from 'pg'
import { asAdmin } from '../../support/admin-connection.ts'
import type { MakeFault } from './fault.ts'

const EVICTIONS = 3

export const POSTGRES_FAULTS = {
  // Where it has the families, these two are what happens to the store.
  freezePostgres: ({ postgres, redis }, random) =>
    redis && {
      holdMs: random.between(500, 4_000),
      begin: () => postgres.pause(),
      end: () => postgres.resume(),
    },
  restartPostgres: ({ postgres, redis }, random) =>
    redis && {
      holdMs: random.between(0, 1_500),
      begin: () => postgres.stop(),
      end: () => postgres.start(),
    },
  /** Every process of it at once, and a start that recovers. */
  killPostgres: ({ postgres }, random) => ({
    holdMs: random.between(0, 1_500),
    begin: () => postgres.kill(),
    end: () => postgres.start(),
  }),
  /** Others have taken every connection, those of the instances as well. */
  fillPostgres: ({ postgres }, random) => {
    let strangers: pg.Client[] = []
    return {
      holdMs: random.between(500, 2_500),
      begin: async () => {
        strangers = await takeEveryConnection(postgres.url)
      },
      end: async () => void (await Promise.all(strangers.map((client) => client.end()))),
    }
  },
  /** As a primary that became a replica. */
  readOnlyPostgres: ({ postgres }, random) => ({
    holdMs: random.between(500, 2_500),
    begin: () => setReadOnly(postgres.url, 'on'),
    end: () => setReadOnly(postgres.url, 'off'),
  }),
  cutPostgres: ({ instances }, random) => {
    const { postgresWire } = random.pick(instances)
    return (
      postgresWire && {
        holdMs: random.between(100, 1_500),
        begin: postgresWire.cut,
        end: postgresWire.heal,
      }
    )
  },
  hangPostgres: ({ instances }, random) => {
    const { postgresWire } = random.pick(instances)
    return (
      postgresWire && {
        holdMs: random.between(1_000, 4_000),
        begin: postgresWire.hang,
        end: postgresWire.heal,
      }
    )
  },
} as const satisfies Record<string, MakeFault>

/** Ends whoever is connected, again and again, until all places are our own. */
async function takeEveryConnection(url: string): Promise<pg.Client[]> {
  const taken: pg.Client[] = []
  const evict = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND application_name <> 'stranger'`
  for (let refusals = 0; refusals < EVICTIONS; ) {
    const client = new pg.Client({ connectionString: url, application_name: 'stranger' })
    client.on('error', () => {})
    try {
      await client.connect()
      taken.push(client)
    } catch {
      // Full, of others as well: what they hold is freed and taken.
      refusals += 1
      await taken[0]?.query(evict)
    }
  }
  return taken
}

async function setReadOnly(url: string, value: 'on' | 'off'): Promise<void> {
  await asAdmin(url, async (client) => {
    await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`)
    await client.query('SELECT pg_reload_conf()')
  })
}
