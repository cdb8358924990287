// What is noted of a request on its way, for its lines in the log and for what is counted: which client
// of ours it came from, what it asked for and why it was refused.

import type { Refusal, RequestLine } from '../../ops/request-line.ts'
import type { Caller, EndpointRequest } from './endpoint.ts'
import { sourceOf } from './request-source.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller?: Caller | undefined
    grant?: string | undefined
    refusal?: Refusal | undefined
  }
}

type Notes = Pick<RequestLine, 'clientId' | 'grant' | 'refusal'>

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

/** What the end of the request tells, from either of the ways in which it can be answered. */
export function notesOf({ caller, grant, refusal }: EndpointRequest): Notes {
  return { clientId: caller?.clientId, grant, refusal }
}
