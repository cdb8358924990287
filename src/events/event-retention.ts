// How long events are kept: partitions are made ahead and dropped as a whole when the last of their
// events is old enough. So deleting costs the same however many events there are, and leaves nothing
// behind for a vacuum.

import type pg from 'pg'
import { tryWithBriefLock } from '../database/brief-lock.ts'
import { guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import { inTransaction } from '../database/transaction.ts'
import {
  type EventPartition,
  findEventPartition,
  listEventPartitions,
  makeEventPartition,
} from './event-partitions.ts'
import { boundFirstPartition } from './first-partition.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** A list may have to look into each partition, so their number is bounded whatever is kept. */
const PARTITIONS_MAX = 30
/** Partitions on their way out: no other table is called so, or has that constraint. */
const DETACHED = `SELECT oid::regclass::text AS table FROM pg_class
  WHERE relkind = 'r' AND NOT relispartition
    AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'audit_events'::regclass)
    AND (relname ~ '^audit_events_[0-9]{8}$' OR relname = 'events' AND EXISTS (
      SELECT FROM pg_constraint WHERE conrelid = pg_class.oid AND conname = 'events_first_partition'))`

/**
 * Makes the partitions of now and next, and takes away what happened `keptDays` before `nowMs`, up
 * to a partition's length later. What somebody is in the way of is left for the next call. Rejects
 * with DependencyUnavailable.
 */
export async function keepEventPartitions(
  pool: pg.Pool,
  { nowMs, keptDays }: { readonly nowMs: number; readonly keptDays: number },
): Promise<void> {
  const beforeMs = nowMs - keptDays * DAY_MS
  if (await boundFirstPartition(pool)) await makeAhead(pool, nowMs, keptDays)
  const partitions = await guardDatabase(() => listEventPartitions(pool))
  for (const partition of partitions) await takeAway(pool, partition, beforeMs)
  const { rows } = await guardDatabase(() => pool.query<{ table: string }>(DETACHED))
  for (const { table } of rows) await tryWithBriefLock(pool, `DROP TABLE IF EXISTS ${table};`)
}

/** The partition of now and the one that follows it. */
async function makeAhead(pool: pg.Pool, nowMs: number, keptDays: number): Promise<void> {
  const days = Math.ceil(keptDays / PARTITIONS_MAX)
  await inTransaction(pool, async (client) => {
    const current = findEventPartition(await makeEventPartition(client, nowMs, days), nowMs)
    if (current) await makeEventPartition(client, current.untilMs, days)
  })
}

async function takeAway(pool: pg.Pool, partition: EventPartition, beforeMs: number) {
  const { table, fromMs, untilMs } = partition
  if (untilMs <= beforeMs) {
    // DETACH … CONCURRENTLY, which waits for nobody, is not for transactions, and all that Lineage
    // writes is in one. This needs the whole table for an instant. The drop itself, which removes
    // files, then happens to a table that nobody looks at.
    await tryWithBriefLock(pool, `ALTER TABLE audit_events DETACH PARTITION ${table};`)
  } else if (fromMs === Number.NEGATIVE_INFINITY) {
    // The first partition is far longer than the others.
    const old = { table, condition: 'at < $1', orderBy: 'at' }
    await deleteInBatches(pool, old, [new Date(beforeMs)])
  }
}
