// The table of events: written in batches, read newest first, cut off by age.

import type pg from 'pg'
import type { Database } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import { type Page, type PageRequest, readPage } from '../database/keyset-page.ts'
import type { Event as EventRow, Prisma } from '../generated/prisma/client.ts'
import { definedMembers, knownMembers } from '../runtime/defined-members.ts'
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
    async list(filter, page) {
      const { event } = await prisma()
      return await readPage(page, {
        order: { column: 'at', direction: 'desc' },
        where: toWhere(filter),
        find: (query) => event.findMany(query),
        toItem: toEvent,
      })
    },
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
    `INSERT INTO events (${listMembers((_, column) => column)})
     SELECT ${listMembers((member) => `"${member}"`)} FROM jsonb_to_recordset($1::jsonb)
       AS given (${listMembers((member, _, type) => `"${member}" ${type}`)})
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
    [JSON.stringify(events), COUNTED_TYPES],
  )
}

/** The column of each member of an event, and its type. */
const COLUMNS = {
  id: ['id', 'uuid'],
  at: ['at', 'timestamptz'],
  type: ['type', 'text'],
  reason: ['reason', 'text'],
  subject: ['subject', 'text'],
  clientId: ['client_id', 'text'],
  sessionId: ['session_id', 'text'],
  ip: ['ip', 'text'],
  userAgent: ['user_agent', 'text'],
  detail: ['detail', 'jsonb'],
} as const satisfies Record<keyof AuditEvent, readonly [column: string, type: string]>

/** SQL for each member of an event, with commas between them. */
export function listMembers(toSql: (member: string, column: string, type: string) => string) {
  return Object.entries(COLUMNS)
    .map(([member, [column, type]]) => toSql(member, column, type))
    .join(', ')
}

/** Only events that `insertEvents` took are ever stored. */
export function toEvent({ id, at, type, detail, ...about }: EventRow): AuditEvent {
  return {
    id,
    at,
    type: type as SecurityEventType,
    ...knownMembers({ ...about, detail: detail as EventDetail | null }),
  }
}

function toWhere({ type, since, until, ...about }: EventFilter): Prisma.EventWhereInput {
  return {
    ...(type && { type: { in: [...type] } }),
    ...definedMembers(about),
    at: definedMembers({ gte: since, lt: until }),
  }
}
