// The table of events: written in batches, read newest first, cut off by age.

import type pg from 'pg'
import type { Database } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import { type Page, type PageRequest, readPage } from '../database/keyset-page.ts'
import type { Event as EventRow, Prisma } from '../generated/prisma/client.ts'
import { definedMembers } from '../runtime/defined-members.ts'
import type { EventDetail, SecurityEventType } from '../runtime/security-event.ts'
import { type AuditEvent, COUNTED_TYPES } from './audit-event.ts'

/** Exact; undefined asks for nothing. */
export interface EventFilter {
  /** Any of them. */
  readonly type?: readonly SecurityEventType[] | undefined
  readonly subject?: string | undefined
  readonly clientId?: string | undefined
  readonly sessionId?: string | undefined
  /** This moment or later. */
  readonly since?: Date | undefined
  /** Before this moment. */
  readonly until?: Date | undefined
}

/** Every method rejects with DependencyUnavailable when PostgreSQL is away. */
export interface EventStore {
  /** Newest first. */
  list(filter: EventFilter, page: PageRequest): Promise<Page<AuditEvent>>
  /** Deletes what happened before. */
  prune(beforeMs: number): Promise<void>
}

export function openEventStore({ pool, prisma }: Pick<Database, 'pool' | 'prisma'>): EventStore {
  return {
    list: (filter, page) =>
      readPage(page, {
        order: { column: 'at', direction: 'desc' },
        where: toWhere(filter),
        find: (query) => prisma.event.findMany(query),
        toItem: toEvent,
      }),
    prune: (beforeMs) => deleteInBatches(pool, OLD, [new Date(beforeMs)]),
  }
}

const OLD = { table: 'events', condition: 'at < $1', orderBy: 'at' }

/**
 * Writes a batch within a transaction. An event that is there already stays as it is; to a counted
 * one the new count is added. That count gets too high when the answer to a commit was lost and the
 * batch is written again.
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

function toWhere({ type, since, until, ...about }: EventFilter): Prisma.EventWhereInput {
  return {
    ...(type && { type: { in: [...type] } }),
    ...definedMembers(about),
    at: definedMembers({ gte: since, lt: until }),
  }
}
