// GET /admin/events: what happened, newest first.

import type { FastifyInstance } from 'fastify'
import { mapPage } from '../../database/keyset-page.ts'
import { toEventJson } from '../../events/audit-event.ts'
import type { EventFilter } from '../../events/event-list.ts'
import type { EventStore } from '../../events/event-store.ts'
import {
  isSecurityEventType,
  SECURITY_EVENT_TYPES,
  type SecurityEventType,
} from '../../runtime/security-event.ts'
import { isUuid } from '../../runtime/uuid.ts'
import { invalidFilter, type RulesOf, readListQuery, textLike } from '../server/list-query.ts'

// Ids of users, clients and sessions are shorter, and of these characters.
const readId = textLike(/^[\x21-\x7e]{1,128}$/, 'does not have the form of one')
const readIsoText = textLike(
  /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/,
  'must be ISO 8601, such as 2026-06-01T12:00:00Z',
)
/** PostgreSQL and ISO 8601 agree on the years between. */
const MOMENT_MIN_MS = Date.UTC(1970, 0)
const MOMENT_MAX_MS = Date.UTC(9999, 11, 31)

const LIST_RULES = {
  isId: isUuid,
  filters: {
    type: readTypes,
    subject: readId,
    clientId: readId,
    sessionId: readId,
    since: readMoment,
    until: readMoment,
  } satisfies RulesOf<EventFilter>,
}

export function registerAdminEvents(app: FastifyInstance, events: Pick<EventStore, 'list'>): void {
  app.get('/admin/events', async ({ query }) => {
    const { filter, page } = readListQuery(query, LIST_RULES)
    return mapPage(await events.list(filter, page), toEventJson)
  })
}

function readTypes(sent: unknown, name: string): readonly SecurityEventType[] {
  const types = typeof sent === 'string' ? sent.split(',') : ['']
  if (types.every(isSecurityEventType)) return types
  const known = SECURITY_EVENT_TYPES.join(', ')
  throw invalidFilter(name, `must be of ${known}, with commas between them`)
}

function readMoment(sent: unknown, name: string): Date {
  const text = readIsoText(sent, name)
  const moment = new Date(text)
  // `Date` reads 30 February as 2 March.
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
  if (!isDay) throw invalidFilter(name, 'must be a day that there is')
  const isWithin = moment.getTime() >= MOMENT_MIN_MS && moment.getTime() <= MOMENT_MAX_MS
  if (!isWithin) throw invalidFilter(name, 'must be a date from 1970 to 9999')
  return moment
}
