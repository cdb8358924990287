// Does a page of events, whatever it is filtered by, cost the same among so many, and does it cost the
// same to take away the oldest of them?

import type { PageKey } from '../../src/database/keyset-page.ts'
import { type EventFilter, toListQuery } from '../../src/events/event-list.ts'
import { type EventStore, openEventStore } from '../../src/events/event-store.ts'
import { DAY_MS, FILLED_UNTIL_MS, fillEvents, KEPT_DAYS } from '../../test/scenes/event-fixture.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'
import { costOf, upTo } from './many.ts'
import { openPostgresCase, type PostgresCase } from './postgres-case.ts'
import type { ScaleMeasure, ScaleQuestion } from './scale-question.ts'

const SIZES = [50_000, 5_000_000]
const LIMIT = 50
/** How often a page is asked for in one measurement. */
const TIMES = 20
/** Of a partition, which goes as a whole. */
const PARTITION_DAYS = 3
const DEEP: PageKey = {
  at: new Date(FILLED_UNTIL_MS - 40 * DAY_MS - 1_000),
  id: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
}
const PAGES: Record<string, [filter: EventFilter, after?: PageKey]> = {
  'newest page': [{}],
  'deep page': [{}, DEEP],
  'a frequent type': [{ type: ['login.succeeded'] }],
  'a rare type': [{ type: ['secret.compromised'] }],
  'a frequent and a rare type': [{ type: ['login.succeeded', 'secret.compromised'] }],
  'a subject': [{ subject: 'user-1' }],
  'a subject, deep page': [{ subject: 'user-1' }, DEEP],
  'a client': [{ clientId: 'client-2' }],
  'a session': [{ sessionId: 'session-300' }],
  'a type of a client': [{ clientId: 'client-2', type: ['login.succeeded'] }],
  'a client without such a type': [{ clientId: 'client-2', type: ['secret.compromised'] }],
  'a period': [{ since: new Date(DEEP.at.getTime() - 5 * DAY_MS), until: DEEP.at }],
}

interface EventsCase {
  readonly store: EventStore
  readonly postgres: PostgresCase
  /** Each time, the events of the next three days have become too old. */
  takeAway(): Promise<void>
}

export const events: ScaleQuestion = {
  name: 'events',
  title: 'the cost of a page among so many events of ninety days, and of taking away three days',
  async prepare(scope, scaled) {
    const sizes = SIZES.map((size) => Math.max(1_500, scaled(size)))
    const { url } = await startPostgres(scope)
    const cases: EventsCase[] = []
    for (const size of sizes) cases.push(await openCase(scope, url, size))
    const large = cases.at(-1)
    const bytes = large ? await bytesOf(large.postgres) : Number.NaN
    return {
      cases: sizes.map((size) => `${size.toLocaleString('en')} events`),
      measures: [...measurePages(cases), ...measureTakingAway(cases)],
      facts: { 'bytes an event, indexes included': bytes / (sizes.at(-1) ?? 1) },
    }
  },
}

async function openCase(scope: Scope, serverUrl: string, size: number): Promise<EventsCase> {
  const postgres = await openPostgresCase(scope, serverUrl)
  await fillEvents(postgres.database, size)
  await postgres.run('VACUUM ANALYZE')
  const store = openEventStore(postgres.database)
  let nowMs = FILLED_UNTIL_MS
  // The first partition, which is empty, and what is to be made ahead.
  await store.keep(nowMs, KEPT_DAYS)
  return {
    store,
    postgres,
    takeAway() {
      nowMs += PARTITION_DAYS * DAY_MS
      return store.keep(nowMs, KEPT_DAYS)
    },
  }
}

function measurePages(cases: readonly EventsCase[]): ScaleMeasure[] {
  return Object.entries(PAGES).flatMap(([name, [filter, after]]): ScaleMeasure[] => [
    {
      name,
      unit: 'ms',
      cases: cases.map(({ store }) => () => {
        return costOf(
          TIMES,
          () => performance.now(),
          async () => {
            for (const _ of upTo(TIMES)) await store.list(filter, { limit: LIMIT, after })
          },
        )
      }),
    },
    { name, unit: 'blocks', cases: cases.map((one) => () => blocksOf(one, filter, after)) },
  ])
}

/** Of tables and indexes, that the page is read from. */
async function blocksOf({ postgres }: EventsCase, filter: EventFilter, after?: PageKey) {
  const { text, values } = toListQuery(filter, { limit: LIMIT, after })
  const { rows } = await postgres.database.pool.query(
    `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`,
    values,
  )
  const { Plan: plan } = rows[0]['QUERY PLAN'][0]
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
}

/** How long it takes in all, and how long somebody else waits for a page meanwhile at the most. */
function measureTakingAway(cases: readonly EventsCase[]): ScaleMeasure[] {
  return [
    {
      name: 'taking away three days',
      unit: 'ms',
      cases: cases.map((one) => () => costOf(1, () => performance.now(), one.takeAway)),
    },
    {
      name: 'the slowest page beside it',
      unit: 'ms',
      cases: cases.map((one) => () => slowestPageBeside(one)),
    },
  ]
}

async function slowestPageBeside({ store, takeAway }: EventsCase): Promise<number> {
  let isDone = false
  const taken = takeAway().finally(() => {
    isDone = true
  })
  let slowestMs = 0
  while (!isDone) {
    const fromMs = performance.now()
    await store.list({}, { limit: LIMIT, after: undefined })
    slowestMs = Math.max(slowestMs, performance.now() - fromMs)
  }
  await taken
  return slowestMs
}

async function bytesOf({ run }: PostgresCase): Promise<number> {
  const [row] = (await run(
    `SELECT sum(pg_total_relation_size(inhrelid))::float8 AS bytes FROM pg_inherits
     WHERE inhparent = 'audit_events'::regclass`,
  )) as { bytes: number }[]
  return row?.bytes ?? Number.NaN
}
