// A request at the front, with the members of Fastify's request that endpoints use.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Refusal, RequestLine } from '../../ops/request-line.ts'
import type { Caller, EndpointRequest } from '../server/endpoint.ts'
import { openRequestLogger, requestIdOf, traceparentOf } from '../server/request-trace.ts'
import type { FrontRoute } from './front-routes.ts'

/** What all requests of a listener share. */
export interface FrontContext
  extends Pick<FastifyInstance, 'isTrustedProxy' | 'presentedCertificate'> {
  readonly logger: FastifyBaseLogger
}

export class FrontRequest implements EndpointRequest {
  readonly raw: IncomingMessage
  readonly headers: IncomingHttpHeaders
  readonly routeOptions: FrontRoute
  readonly server: FrontContext
  readonly id: string
  readonly traceparent: string | undefined
  caller: Caller | undefined
  grant: string | undefined
  refusal: Refusal | undefined
  readonly #beganAtMs = performance.now()
  #log: FastifyBaseLogger | undefined

  constructor(raw: IncomingMessage, routeOptions: FrontRoute, context: FrontContext) {
    this.raw = raw
    this.headers = raw.headers
    this.routeOptions = routeOptions
    this.server = context
    this.id = requestIdOf(raw)
    this.traceparent = traceparentOf(raw)
  }

  get method(): string {
    return this.raw.method ?? ''
  }

  /** Made when something is to be told, which most requests have not. */
  get log(): FastifyBaseLogger {
    this.#log ??= openRequestLogger(this.server.logger, { reqId: this.id }, {}, this.raw)
    return this.#log
  }

  /** What the log says of it, once it was answered. */
  lineFor(status: number): RequestLine {
    return {
      id: this.id,
      isIdGiven: this.headers['x-request-id'] === this.id,
      traceparent: this.traceparent,
      method: this.method,
      route: this.routeOptions.url,
      status,
      durationMs: performance.now() - this.#beganAtMs,
      clientId: this.caller?.clientId,
      grant: this.grant,
      refusal: this.refusal,
    }
  }
}
