// The partitions of the table of events: which there are, which one holds a moment, and making the one
// that is missing. Their bounds are UTC midnights. Events are written into a partition by its name and
// not through the whole table, because only within a partition can `id` alone be unique
// (docs/adr/0019-events-in-partitions.md).

import pg from 'pg'

const DAY_MS = 24 * 60 * 60 * 1000
/**
 * Instances make partitions one after the other. Not the lock of the signing keys (src/keys/key-rows.ts), for
 * which a change of a client may wait, nor that of the migrations.
 */
const LOCK_ID = 72707371

/** Holds the events from the one moment until before the other. */
export interface EventPartition {
  /** As SQL names it. */
  readonly table: string
  /** -Infinity for the first one, the table from before there were partitions. */
  readonly fromMs: number
  /** Infinity for the first one until it is bounded (src/events/first-partition.ts). */
  readonly untilMs: number
}

/** A bound is `FOR VALUES FROM ('…') TO ('…')`, the first of them MINVALUE, or DEFAULT. */
const LIST = `
  SELECT relname AS name,
    NULLIF(split_part(bound, '''', 2), '')::timestamptz AS one,
    NULLIF(split_part(bound, '''', 4), '')::timestamptz AS other
  FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    CROSS JOIN LATERAL pg_get_expr(relpartbound, pg_class.oid) AS bound
  WHERE inhparent = 'audit_events'::regclass`

/** Those that there are, oldest first. */
export async function listEventPartitions(
  queryable: Pick<pg.Pool | pg.PoolClient, 'query'>,
): Promise<EventPartition[]> {
  const { rows } = await queryable.query<{ name: string; one: Date | null; other: Date | null }>(
    LIST,
  )
  const partitions = rows.map(({ name, one, other }) => ({
    table: pg.escapeIdentifier(name),
    fromMs: one && other ? one.getTime() : Number.NEGATIVE_INFINITY,
    untilMs: (other ?? one)?.getTime() ?? Number.POSITIVE_INFINITY,
  }))
  return partitions.sort((one, other) => one.fromMs - other.fromMs)
}

/** The one that holds the moment. */
export function findEventPartition(
  partitions: readonly EventPartition[],
  atMs: number,
): EventPartition | undefined {
  return partitions.find(({ fromMs, untilMs }) => fromMs <= atMs && atMs < untilMs)
}

/**
 * Makes the partition of a moment within a transaction, unless there is one: so many days that begin
 * at a multiple of them, as far as its neighbours leave room. Waits for nobody who reads or writes
 * events, and lets nobody wait but who makes partitions too. Gives the partitions that there are then.
 */
export async function makeEventPartition(
  client: pg.PoolClient,
  atMs: number,
  days: number,
): Promise<EventPartition[]> {
  await client.query(`SELECT pg_advisory_xact_lock(${LOCK_ID})`)
  const partitions = await listEventPartitions(client)
  if (findEventPartition(partitions, atMs)) return partitions
  const widthMs = days * DAY_MS
  const startMs = Math.floor(atMs / widthMs) * widthMs
  const earlier = partitions.filter(({ untilMs }) => untilMs <= atMs)
  const later = partitions.filter(({ fromMs }) => fromMs > atMs)
  const fromMs = Math.max(startMs, ...earlier.map(({ untilMs }) => untilMs))
  const untilMs = Math.min(startMs + widthMs, ...later.map((partition) => partition.fromMs))
  const from = new Date(fromMs).toISOString()
  const table = `audit_events_${from.slice(0, 10).replaceAll('-', '')}`
  // Made first and attached then: CREATE TABLE … PARTITION OF would lock out all who read events.
  await client.query(
    `CREATE TABLE ${table} (LIKE audit_events, PRIMARY KEY (id));
     CREATE INDEX ON ${table} (client_id, type, at);
     ALTER TABLE audit_events ATTACH PARTITION ${table}
       FOR VALUES FROM ('${from}') TO ('${new Date(untilMs).toISOString()}')`,
  )
  return await listEventPartitions(client)
}
