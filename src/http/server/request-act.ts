// Who asks for a change, and from where, for the routes that change accounts, clients and keys.

import type { FastifyRequest } from 'fastify'
import type { Act } from '../../runtime/act.ts'
import { actorOf } from './bearer.ts'
import { sourceOf } from './request-source.ts'

/** For a request behind a bearer check. */
export function actOf(request: FastifyRequest): Act {
  return { by: actorOf(request), ...sourceOf(request) }
}
