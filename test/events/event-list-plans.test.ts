// What a page of events costs is the same however many there are: every filter and every combination
// is answered through indexes, a page deep in the past is read where it begins, and no partition but
// those that the page needs is looked into once it is full.

import { type Test, test } from 'tap'
import type { PageKey } from '../../src/database/keyset-page.ts'
import type { EventFilter } from '../../src/events/event-list.ts'
import { openEventStore } from '../../src/events/event-store.ts'
import { DAY_MS, FILLED_UNTIL_MS, fillEvents } from '../scenes/event-fixture.ts'
import { openPlannedDatabase, readingOf } from '../support/query-plans.ts'

const [FEW, MANY] = [15_000, 90_000]
/** Fewer than the least frequent of the fixture's values that a page is filled with. */
const LIMIT = 10
const GROWTH_MAX = 1.2
/** One more look into an index for each partition, where a tree has become one page higher. */
const HEIGHT_BLOCKS = 4

const RARE_TYPE = 'secret.compromised'
const ABOUT: Record<string, EventFilter> = {
  nothing: {},
  'a rare type': { type: [RARE_TYPE] },
  'a frequent type': { type: ['login.succeeded'] },
  'several types': { type: [RARE_TYPE, 'login.succeeded', 'token.revoked'] },
  'a subject': { subject: 'user-1' },
  'a rare client': { clientId: 'rare' },
  'a frequent client': { clientId: 'client-2' },
  'a session': { sessionId: 'session-30' },
  'a type of a client': { clientId: 'rare', type: ['login.succeeded'] },
  'types of a client': { clientId: 'client-2', type: ['login.succeeded', 'token.revoked'] },
  'a client of which there is no such type': { clientId: 'client-2', type: [RARE_TYPE] },
  'a subject at a client': { subject: 'user-1', clientId: 'client-2' },
  'all of them': {
    subject: 'user-1',
    clientId: 'client-2',
    sessionId: 'session-30',
    type: ['login.succeeded', 'token.revoked'],
  },
}
const DEEP: PageKey = {
  at: new Date(FILLED_UNTIL_MS - 60 * DAY_MS - 1_000),
  id: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
}
const PERIOD = {
  since: new Date(FILLED_UNTIL_MS - 62 * DAY_MS),
  until: new Date(FILLED_UNTIL_MS - 50 * DAY_MS),
}

/** What a page of so many events read: of each step that read anything. */
async function openFilled(t: Test, count: number) {
  const { database, plansOf } = await openPlannedDatabase(t)
  await fillEvents(database, count)
  const store = openEventStore(database)
  return async (filter: EventFilter, after?: PageKey) => {
    const plans = await plansOf(() => store.list(filter, { limit: LIMIT, after }))
    const steps = plans.flatMap((plan) => plan.steps).filter(({ rows }) => rows > 0)
    return { ...readingOf(plans), steps }
  }
}

test('a page costs the same among few events and among many', async (t) => {
  const few = await openFilled(t, FEW)
  const many = await openFilled(t, MANY)
  for (const [name, filter] of Object.entries(ABOUT)) {
    for (const [where, more, after] of [
      ['newest', {}, undefined],
      ['deep', {}, DEEP],
      ['within a period', PERIOD, undefined],
    ] as const) {
      const asked = { ...filter, ...more }
      const [small, large] = [await few(asked, after), await many(asked, after)]
      const says = `${name}, ${where}: ${small.blocks} and ${large.blocks} blocks`
      t.notOk(
        large.steps.some(({ type }) => type === 'Seq Scan'),
        `${says}: through indexes alone`,
      )
      t.ok(large.blocks <= small.blocks * GROWTH_MAX + HEIGHT_BLOCKS, says)
    }
  }
})

test('a page begins in the partition of its cursor and ends when it is full', async (t) => {
  const list = await openFilled(t, FEW)
  const newest = await list({})
  const deep = await list({}, DEEP)
  for (const { steps, rows } of [newest, deep]) {
    t.notOk(
      steps.some(({ type }) => type === 'Sort'),
      'the partitions are in order already',
    )
    t.equal(steps.filter(({ table }) => table).length, 1, 'one partition is looked into')
    t.equal(rows, LIMIT + 1)
  }
  t.ok(deep.blocks <= newest.blocks + HEIGHT_BLOCKS, `${newest.blocks}, deep ${deep.blocks} blocks`)
})
