// Which client of ours a request came from, as far as that is known, for the line of its refusal.

import type { Caller, EndpointRequest } from './endpoint.ts'
import { sourceOf } from './request-source.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller?: Caller | undefined
  }
}

/** Only with the id of a client that exists: what somebody typed must not get into the log. */
export function noteCaller(request: EndpointRequest, caller: Caller): void {
  request.caller = caller
}

/** What the log says of a refused request besides the reason. */
export function callerFields(request: EndpointRequest): {
  readonly route: string | undefined
  readonly clientId?: string
  readonly ip: string
} {
  const { caller } = request
  return {
    route: request.routeOptions.url,
    ...(caller && { clientId: caller.clientId }),
    ip: sourceOf(request, caller?.client).ip,
  }
}
