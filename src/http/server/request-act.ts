// Who caused an event, and from where, for the routes that change accounts and clients.

import type { FastifyRequest } from 'fastify'
import type { EventDetail, SecurityEvent } from '../../runtime/security-event.ts'
import { actorOf } from './bearer.ts'
import { sourceOf } from './request-source.ts'

/** For a request behind a bearer check. `detail` never holds a value that somebody typed in. */
export function actOf(
  request: FastifyRequest,
  detail: EventDetail = {},
): Required<Pick<SecurityEvent, 'ip' | 'userAgent' | 'detail'>> {
  return { ...sourceOf(request), detail: { by: actorOf(request), ...detail } }
}
