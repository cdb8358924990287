// The table of events from before there were partitions becomes the first of them: everything until a
// bound. That takes one look at all of its rows, which no migration may wait for, so the running service
// does it, in steps that hold up nobody. The migration makes it the default partition, which needs no
// bound; while there is one, no other partition can be made, and this one takes everything.

import type pg from 'pg'
import { tryWithBriefLock } from '../database/brief-lock.ts'
import { guardDatabase } from '../database/database.ts'
import { openPlainQuery } from '../database/plain-query.ts'
import { inTransaction } from '../database/transaction.ts'
import { listEventPartitions } from './event-partitions.ts'

/** For so long the release before, which knows this table alone, can go on writing events. */
const SHARED_DAYS = 14
/** For the look at all rows, a hundred million of them. */
const LOOK_MS = 10 * 60 * 1000
const BOUND = `conrelid = 'events'::regclass AND conname = 'events_first_partition'`

const ADD_BOUND = `
  LOCK TABLE events IN ACCESS EXCLUSIVE MODE;
  SELECT date_trunc('day', GREATEST(max(at), clock_timestamp()) + interval '${SHARED_DAYS} days')
    INTO bound FROM events;
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE ${BOUND}) THEN
    EXECUTE format('ALTER TABLE events ADD CONSTRAINT events_first_partition
      CHECK (at < %L) NOT VALID', bound);
  END IF;`

/** Reads no row: the constraint proves the bound. */
const SET_BOUND = `
  SELECT substring(pg_get_constraintdef(oid) FROM '''(.*)''') INTO STRICT bound
    FROM pg_constraint WHERE ${BOUND};
  ALTER TABLE audit_events DETACH PARTITION events;
  EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION events
    FOR VALUES FROM (MINVALUE) TO (%L)', bound);`

/**
 * Bounds it, unless that is done or somebody is in the way: whoever calls again goes on where this
 * stopped. Says whether it is bounded now. Rejects with DependencyUnavailable.
 */
export async function boundFirstPartition(pool: pg.Pool): Promise<boolean> {
  if (!(await isUnbounded(pool))) return true
  await tryWithBriefLock(pool, ADD_BOUND, 'DECLARE bound timestamptz;')
  if (!(await hasConstraint(pool))) return false
  // Writers and readers go on meanwhile.
  await inTransaction(
    pool,
    async (client) => {
      const query = openPlainQuery(client, LOOK_MS)
      await query(`SET LOCAL statement_timeout = ${LOOK_MS}`)
      await query('ALTER TABLE events VALIDATE CONSTRAINT events_first_partition')
    },
    LOOK_MS,
  )
  await tryWithBriefLock(pool, SET_BOUND, 'DECLARE bound timestamptz;')
  return !(await isUnbounded(pool))
}

async function isUnbounded(pool: pg.Pool): Promise<boolean> {
  const partitions = await guardDatabase(() => listEventPartitions(pool))
  return partitions.some(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY)
}

async function hasConstraint(pool: pg.Pool): Promise<boolean> {
  const { rowCount } = await guardDatabase(() =>
    pool.query(`SELECT FROM pg_constraint WHERE ${BOUND}`),
  )
  return rowCount === 1
}
