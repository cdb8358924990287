// The table of events: written in batches, read newest first, cut off by age.

import type pg from 'pg'
import { type Database, guardDatabase } from '../database/database.ts'
import { type Page, type PageRequest, toPage } from '../database/keyset-page.ts'
import { type AuditEvent, COUNTED_TYPES, isSeenByAll } from './audit-event.ts'
import { EVENT_MEMBERS, type EventRow, listMembers, toEvent } from './event-columns.ts'
import { type EventFilter, toListQuery } from './event-list.ts'
import {
  type EventPartition,
  findEventPartition,
  listEventPartitions,
  makeEventPartition,
} from './event-partitions.ts'
import { keepEventPartitions } from './event-retention.ts'

/** Every method rejects with DependencyUnavailable when PostgreSQL is away. */
export interface EventStore {
  /** Newest first. */
  list(filter: EventFilter, page: PageRequest): Promise<Page<AuditEvent>>
  /** Makes room for what comes, and takes away what is older than `keptDays` (event-retention.ts). */
  keep(nowMs: number, keptDays: number): Promise<void>
}

/** Which event: the moment says where to look for the id. */
export interface EventKey {
  readonly id: string
  readonly at: Date
}

/** An event that was written, as far as others have to know it. */
export interface WrittenEvent extends EventKey {
  readonly type: string
}

export function openEventStore({ pool }: Pick<Database, 'pool'>): EventStore {
  return {
    async list(filter, page) {
      const { text, values } = toListQuery(filter, page)
      const { rows } = await guardDatabase(() => pool.query<EventRow>(text, values))
      return toPage(rows, page, ({ at, id }) => ({ at, id }), toEvent)
    },
    keep: (nowMs, keptDays) => keepEventPartitions(pool, { nowMs, keptDays }),
  }
}

/**
 * By id; what has been taken away is missing. Where the moment is not known, every partition is
 * looked into. Rejects with DependencyUnavailable.
 */
export async function findEvents(
  pool: pg.Pool,
  keys: readonly { readonly id: string; readonly at: Date | null }[],
): Promise<ReadonlyMap<string, AuditEvent>> {
  if (keys.length === 0) return new Map()
  const [ids, moments] = [keys.map(({ id }) => id), keys.map(({ at }) => at)]
  const byId = `SELECT ${EVENT_MEMBERS} FROM audit_events WHERE id = ANY ($1::uuid[])`
  const { rows } = await guardDatabase(() =>
    moments.includes(null)
      ? pool.query<EventRow>(byId, [ids])
      : pool.query<EventRow>(`${byId} AND at = ANY ($2::timestamptz[])`, [ids, moments]),
  )
  return new Map(rows.map((row) => [row.id, toEvent(row)]))
}

/**
 * Writes a batch within a transaction, and gives what it wrote. An event that is there already stays
 * as it is and is not given; to a counted one the new count is added. That count gets too high when
 * the answer to a commit was lost and the batch is written again.
 */
export async function insertEvents(
  client: pg.PoolClient,
  events: readonly AuditEvent[],
): Promise<readonly WrittenEvent[]> {
  const known = await findKnown(client, events)
  const written: WrittenEvent[] = []
  for (const [{ table }, part] of await byPartition(client, events)) {
    const values = [JSON.stringify(part.filter(({ id }) => !known.has(id))), COUNTED_TYPES]
    written.push(...(await client.query<WrittenEvent>(insertInto(table), values)).rows)
  }
  return written
}

/** Steps of a key that another instance has reported before, maybe in the partition before. */
async function findKnown(
  client: pg.PoolClient,
  events: readonly AuditEvent[],
): Promise<ReadonlySet<string>> {
  const ids = events.filter(isSeenByAll).map(({ id }) => id)
  if (ids.length === 0) return new Set()
  const { rows } = await client.query<EventKey>(
    'SELECT id FROM audit_events WHERE id = ANY ($1::uuid[])',
    [ids],
  )
  return new Set(rows.map(({ id }) => id))
}

/** The events of each partition, in the order of partitions. A missing one is made, a day long. */
async function byPartition(
  client: pg.PoolClient,
  events: readonly AuditEvent[],
): Promise<ReadonlyMap<EventPartition, readonly AuditEvent[]>> {
  let partitions = await listEventPartitions(client)
  for (const { at } of events) {
    if (findEventPartition(partitions, at.getTime())) continue
    partitions = await makeEventPartition(client, at.getTime(), 1)
  }
  const parts = partitions.map((partition) => {
    const inside = events.filter(({ at }) => findEventPartition([partition], at.getTime()))
    return [partition, inside] as const
  })
  return new Map(parts.filter(([, inside]) => inside.length > 0))
}

/** By id, so that two instances which count the same failures never wait for each other. */
const insertInto = (table: string) => `
  INSERT INTO ${table} AS event (${listMembers((_, column) => column)})
  SELECT ${listMembers((member) => `"${member}"`)} FROM jsonb_to_recordset($1::jsonb)
    AS given (${listMembers((member, _, type) => `"${member}" ${type}`)})
  ORDER BY id
  ON CONFLICT (id) DO UPDATE SET
    reason = CASE WHEN event.reason = excluded.reason THEN event.reason END,
    subject = CASE WHEN event.subject = excluded.subject THEN event.subject END,
    session_id = CASE WHEN event.session_id = excluded.session_id THEN event.session_id END,
    client_id = CASE WHEN event.client_id = excluded.client_id THEN event.client_id END,
    user_agent = CASE WHEN event.user_agent = excluded.user_agent THEN event.user_agent END,
    detail = event.detail || jsonb_build_object(
      'count', (event.detail->>'count')::int + (excluded.detail->>'count')::int,
      'firstAt', LEAST(event.detail->>'firstAt', excluded.detail->>'firstAt'),
      'lastAt', GREATEST(event.detail->>'lastAt', excluded.detail->>'lastAt'))
  WHERE event.type = ANY ($2::text[])
  RETURNING id, at, type`
