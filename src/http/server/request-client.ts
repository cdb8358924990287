// Which client of ours a request came from, as far as that is known, for the line of its refusal.

import type { Client } from '../../clients/client.ts'
import type { EndpointRequest } from './endpoint.ts'
import { sourceOf } from './request-source.ts'

interface Caller {
  readonly clientId: string
  /** Set once the client has authenticated. */
  readonly client?: Client
}

const callers = new WeakMap<EndpointRequest, Caller>()

/** Only with the id of a client that exists: what somebody typed must not get into the log. */
export function noteCaller(request: EndpointRequest, caller: Caller): void {
  callers.set(request, caller)
}

/** What the log says of a refused request besides the reason. */
export function callerFields(request: EndpointRequest): {
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
