// GET /admin/events: what happened, newest first (INTERFACE §1 "event").

import type { FastifyInstance } from 'fastify'
import { toEventJson } from '../../events/audit-event.ts'
import type { EventFilter, EventStore } from '../../events/event-store.ts'
import {
  isSecurityEventType,
  SECURITY_EVENT_TYPES,
  type SecurityEventType,
} from '../../runtime/security-event.ts'
import { ApiError } from '../server/api-error.ts'
import { buildPage, parsePageRequest } from '../server/pagination.ts'

const EVENT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
// Ids of users, clients and sessions are shorter, and of these characters.
const ABOUT = /^[\x21-\x7e]{1,128}$/
/** PostgreSQL and ISO 8601 agree on the years between. */
const MOMENT_MIN_MS = Date.UTC(1970, 0)
const MOMENT_MAX_MS = Date.UTC(9999, 11, 31)
const MOMENT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/
const FILTERS = ['type', 'subject', 'clientId', 'sessionId', 'since', 'until']

export function registerAdminEvents(app: FastifyInstance, events: Pick<EventStore, 'list'>): void {
  app.get<{ Querystring: Record<string, unknown> }>('/admin/events', async ({ query }) => {
    const page = parsePageRequest(query, { filters: FILTERS, isId: (id) => EVENT_ID.test(id) })
    const rows = await events.list(parseFilter(query), page)
    return buildPage(rows, page, (event) => event, toEventJson)
  })
}

/** Throws ApiError 400 for what is no filter. */
function parseFilter(query: Record<string, unknown>): EventFilter {
  return {
    types: parseTypes(query.type),
    subject: parseText('subject', query.subject, ABOUT),
    clientId: parseText('clientId', query.clientId, ABOUT),
    sessionId: parseText('sessionId', query.sessionId, ABOUT),
    since: parseMoment('since', query.since),
    until: parseMoment('until', query.until),
  }
}

function parseTypes(value: unknown): readonly SecurityEventType[] | undefined {
  if (value === undefined) return undefined
  const types = typeof value === 'string' ? value.split(',') : ['']
  if (types.every(isSecurityEventType)) return types
  throw invalid('type', `must be of ${SECURITY_EVENT_TYPES.join(', ')}, with commas between them`)
}

function parseMoment(name: string, value: unknown): Date | undefined {
  const text = parseText(name, value, MOMENT, 'must be ISO 8601, such as 2026-06-01T12:00:00Z')
  if (text === undefined) return undefined
  const moment = new Date(text)
  // `Date` takes 30 February for 2 March.
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
  if (!isDay) throw invalid(name, 'must be a day that there is')
  const isWithin = moment.getTime() >= MOMENT_MIN_MS && moment.getTime() <= MOMENT_MAX_MS
  if (!isWithin) throw invalid(name, 'must be a date from 1970 to 9999')
  return moment
}

function parseText(
  name: string,
  value: unknown,
  pattern: RegExp,
  rule = 'does not have the form of one',
): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && pattern.test(value)) return value
  throw invalid(name, rule)
}

function invalid(name: string, problem: string): ApiError {
  return new ApiError('invalid_query', { detail: `${name} ${problem}.` })
}
