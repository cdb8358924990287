// The table of events: written in batches, read newest first, cut off by age.

import type pg from 'pg'
import { type Database, guardDatabase } from '../database/database.ts'
import type { Event as EventRow, Prisma } from '../generated/prisma/client.ts'
import type { EventDetail, SecurityEventType } from '../runtime/security-event.ts'
import { type AuditEvent, COUNTED_TYPES } from './audit-event.ts'

/** Rows deleted by one statement, so that each stays well within its deadline. */
const BATCH_ROWS = 5_000

/** Exact; undefined asks for nothing. */
export interface EventFilter {
  readonly types?: readonly SecurityEventType[] | undefined
  readonly subject?: string | undefined
  readonly clientId?: string | undefined
  readonly sessionId?: string | undefined
  /** This moment or later. */
  readonly since?: Date | undefined
  /** Before this moment. */
  readonly until?: Date | undefined
}

export interface EventPage {
  readonly limit: number
  /** Events strictly older than this one. */
  readonly after: { readonly at: Date; readonly id: string } | undefined
}

/** Every method rejects with DependencyUnavailable when PostgreSQL is away. */
export interface EventStore {
  /** Newest first, at most `limit + 1`. */
  list(filter: EventFilter, page: EventPage): Promise<AuditEvent[]>
  /** Deletes what happened before. */
  prune(beforeMs: number): Promise<void>
}

export function openEventStore({ pool, prisma }: Pick<Database, 'pool' | 'prisma'>): EventStore {
  return {
    async list(filter, page) {
      const rows = await guardDatabase(() => prisma.event.findMany(toQuery(filter, page)))
      return rows.map(toEvent)
    },

    async prune(beforeMs) {
      let deleted: number
      do {
        const { rowCount } = await guardDatabase(() =>
          pool.query(
            `DELETE FROM events WHERE id IN
               (SELECT id FROM events WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
            [new Date(beforeMs), BATCH_ROWS],
          ),
        )
        deleted = rowCount ?? 0
      } while (deleted === BATCH_ROWS)
    },
  }
}

/**
 * Writes a batch within a transaction. An event that is there already stays as it is, counted ones
 * apart, whose counts are added up: the one number that is too high when the answer to a commit was
 * lost and the batch is written again.
 */
export async function insertEvents(
  client: pg.PoolClient,
  events: readonly AuditEvent[],
): Promise<void> {
  // By id, so that two instances which count the same failures never wait for each other.
  await client.query(
    `INSERT INTO events (${COLUMNS})
     SELECT ${COLUMNS} FROM jsonb_to_recordset($1::jsonb) AS given (
       id uuid, at timestamptz, type text, reason text, subject text, client_id text,
       session_id text, ip text, user_agent text, detail jsonb)
     ORDER BY id
     ON CONFLICT (id) DO UPDATE SET
       reason = CASE WHEN events.reason = excluded.reason THEN events.reason END,
       subject = CASE WHEN events.subject = excluded.subject THEN events.subject END,
       session_id = CASE WHEN events.session_id = excluded.session_id THEN events.session_id END,
       client_id = CASE WHEN events.client_id = excluded.client_id THEN events.client_id END,
       user_agent = CASE WHEN events.user_agent = excluded.user_agent THEN events.user_agent END,
       detail = events.detail || jsonb_build_object(
         'count', (events.detail->>'count')::int + (excluded.detail->>'count')::int,
         'firstAt', LEAST(events.detail->>'firstAt', excluded.detail->>'firstAt'),
         'lastAt', GREATEST(events.detail->>'lastAt', excluded.detail->>'lastAt'))
     WHERE events.type = ANY ($2::text[])`,
    [JSON.stringify(events.map(toColumns)), COUNTED_TYPES],
  )
}

const COLUMNS =
  'id, at, type, reason, subject, client_id, session_id, ip, user_agent, detail' as const

function toColumns({ clientId, sessionId, userAgent, ...rest }: AuditEvent) {
  return { ...rest, client_id: clientId, session_id: sessionId, user_agent: userAgent }
}

/** Only events that `insertEvents` took are ever stored. */
export function toEvent(row: EventRow): AuditEvent {
  const { id, at, reason, subject, clientId, sessionId, ip, userAgent, detail } = row
  return {
    id,
    at,
    type: row.type as SecurityEventType,
    ...(reason !== null && { reason }),
    ...(subject !== null && { subject }),
    ...(clientId !== null && { clientId }),
    ...(sessionId !== null && { sessionId }),
    ...(ip !== null && { ip }),
    ...(userAgent !== null && { userAgent }),
    ...(detail !== null && { detail: detail as EventDetail }),
  }
}

function toQuery(
  { types, subject, clientId, sessionId, since, until }: EventFilter,
  { limit, after }: EventPage,
) {
  const where: Prisma.EventWhereInput[] = [
    ...(types ? [{ type: { in: [...types] } }] : []),
    ...(subject === undefined ? [] : [{ subject }]),
    ...(clientId === undefined ? [] : [{ clientId }]),
    ...(sessionId === undefined ? [] : [{ sessionId }]),
    ...(since ? [{ at: { gte: since } }] : []),
    ...(until ? [{ at: { lt: until } }] : []),
    // The first condition is the one that an index serves.
    ...(after
      ? [{ at: { lte: after.at } }, { OR: [{ at: { lt: after.at } }, { id: { lt: after.id } }] }]
      : []),
  ]
  return {
    where: { AND: where },
    orderBy: [{ at: 'desc' as const }, { id: 'desc' as const }],
    take: limit + 1,
  }
}
