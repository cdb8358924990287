// The SQL of a page of events, newest first. Whatever is asked for, each partition is read through an
// index in the order of the list, one partition after the other, until the page is full; a page deep in
// the past begins in its own partition.

import type { PageRequest } from '../database/keyset-page.ts'
import type { SecurityEventType } from '../runtime/security-event.ts'
import { EVENT_MEMBERS } from './event-columns.ts'

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

/** A page and one row more, as PostgreSQL takes it. */
export function toListQuery(
  filter: EventFilter,
  { limit, after }: PageRequest,
): { text: string; values: unknown[] } {
  const values: unknown[] = []
  const value = (given: unknown) => `$${values.push(given)}`
  const conditions: string[] = []
  const add = (given: unknown, toCondition: (placeholder: string) => string) => {
    if (given !== undefined) conditions.push(toCondition(value(given)))
  }
  add(filter.subject, (given) => `subject = ${given}`)
  add(filter.clientId, (given) => `client_id = ${given}`)
  add(filter.sessionId, (given) => `session_id = ${given}`)
  add(filter.since, (given) => `at >= ${given}`)
  add(filter.until, (given) => `at < ${given}`)
  if (after) {
    // The moment alone says which partitions are left out, and where in an index to begin.
    add(after.at, (at) => `at <= ${at} AND (at, id) < (${at}, ${value(after.id)}::uuid)`)
  }
  const end = `ORDER BY at DESC, id DESC LIMIT ${value(limit + 1)}`
  const select = (more: readonly string[]) => {
    const all = [...conditions, ...more]
    const where = all.length > 0 ? `WHERE ${all.join(' AND ')}` : ''
    return `SELECT ${EVENT_MEMBERS} FROM audit_events ${where} ${end}`
  }
  const types = [...new Set(filter.type)].map((type) => [`type = ${value(type)}`])
  if (types.length <= 1) return { text: select(types[0] ?? []), values }
  // A page of each type, since an index has one type in order, but not several. One SELECT for each,
  // because how to read a type depends on how rare it is.
  const pages = types.map((type) => `(${select(type)})`)
  return { text: `${pages.join(' UNION ALL ')} ${end}`, values }
}
