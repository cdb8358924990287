// Requests whose callers hung up before the answer was sent: what an operator looks for when callers
// complain of time-outs.

import { logEvent } from '../../ops/log-events.ts'
import type { EndpointRequest } from './endpoint.ts'
import { notesOf } from './request-notes.ts'

/** Told of each of them, and for how long it was waited for. */
export type RequestAbandoned = (request: EndpointRequest, durationMs: number) => void

/** One line in place of that of the end, with what is known so far. */
export function tellAbandoned(request: EndpointRequest, durationMs: number): void {
  const { method, routeOptions } = request
  const { clientId, grant } = notesOf(request)
  logEvent(request.log, 'request.abandoned', {
    method,
    route: routeOptions.url,
    ...(clientId !== undefined && { clientId }),
    ...(grant !== undefined && { grant }),
    durationMs: Math.round(durationMs),
  })
}
