// Which client of ours a request came from, as far as that is known, for the line of its refusal.

import type { FastifyRequest } from 'fastify'
import type { Client } from '../../clients/client.ts'
import { sourceOf } from './request-source.ts'

interface Caller {
  readonly clientId: string
  /** Once it has proved to be that one. */
  readonly client?: Client
}

const callers = new WeakMap<FastifyRequest, Caller>()

/** Never with an id that is none of ours: what somebody typed does not belong into a log. */
export function noteCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller)
}

/** What the log says of a refused request besides the reason. */
export function describeCaller(request: FastifyRequest): {
  readonly route: string | undefined
  readonly clientId?: string
  readonly ip: string
} {
  const caller = callers.get(request)
  return {
    route: request.routeOptions.url,
    ...(caller && { clientId: caller.clientId }),
    ip: sourceOf(request, caller?.client).ip,
  }
}
