// What the audit trail of a running service says, for tests.

import type { SecurityEventType } from '../../src/runtime/security-event.ts'
import type { HttpTools } from './app.ts'
import { until } from './until.ts'

export interface EventJson {
  readonly id: string
  readonly at: string
  readonly type: SecurityEventType
  readonly reason?: string
  readonly subject?: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly ip?: string
  readonly userAgent?: string
  readonly detail?: Readonly<Record<string, unknown>>
}

/** One page, newest first. */
export async function readEvents(app: Pick<HttpTools, 'admin'>, query = ''): Promise<EventJson[]> {
  const answer = await app.admin('GET', `/admin/events?limit=200${query}`)
  const body = (await answer.json()) as { items: EventJson[] }
  if (answer.status !== 200) throw new Error(`no events: ${JSON.stringify(body)}`)
  return body.items
}

/** Waits for the newest event of the type, about this subject or client where one is given. */
export function waitForEvent(
  app: Pick<HttpTools, 'admin'>,
  type: SecurityEventType,
  about: { subject?: string; clientId?: string; sessionId?: string } = {},
): Promise<EventJson> {
  const query = new URLSearchParams({ type, ...about })
  return until(type, async () => (await readEvents(app, `&${query}`))[0])
}
