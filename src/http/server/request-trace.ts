// How a request is found again in the logs of all services that it passed: X-Request-Id and
// traceparent are taken over if they are well-formed, logged, and returned in the answer.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { RequestTracing } from '../../tracing/tracing.ts'

/** The forms that proxies and clients use: UUIDs, hexadecimal digits, words with these marks. */
const REQUEST_ID = /^[\w.:-]{1,128}$/
/** Trace Context §3.2, version 00; neither id may be all zeros. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The `X-Request-Id` of the request, or a new one if it has none or a malformed one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  // Node.js joins two headers with a comma, which no id has.
  const given = headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
}

/** Every line that a request writes names its trace, too. For Fastify's `childLoggerFactory`. */
export function openRequestLogger(
  logger: FastifyBaseLogger,
  bindings: Record<string, unknown>,
  options: object,
  raw: Pick<IncomingMessage, 'headers'>,
): FastifyBaseLogger {
  const traceparent = traceparentOf(raw)
  return logger.child(traceparent === undefined ? bindings : { ...bindings, traceparent }, options)
}

/** Call before any other hook, so that refusals carry both, too. */
export function setTraceHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    const traceparent = traceparentOf(request.raw)
    if (traceparent !== undefined) reply.header('traceparent', traceparent)
    done()
  })
}

/**
 * What a request does belongs to its span: its hooks, and its handler too, which begins in the turn in
 * which the body has come. Call after the hooks that may let a request wait for another.
 */
export function traceRequests(app: FastifyInstance, tracing: RequestTracing): void {
  app.addHook('onRequest', (request, _reply, done) => tracing.run(request.raw, done))
  app.addHook('preValidation', (request, _reply, done) => tracing.run(request.raw, done))
}

/** Undefined for one that is malformed. */
export function traceparentOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const { traceparent } = headers
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : undefined
}
