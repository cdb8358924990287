// By which name a request is found again in the logs of everything that it passed: the id and the
// W3C trace that it brought, where they have the form of one, and the same back in the answer.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'

/** What proxies and clients make: UUIDs, hexadecimal digits, words with such marks between them. */
const REQUEST_ID = /^[\w.:-]{1,128}$/
/** Trace Context §3.2, version 00; neither id may be all zeros. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The `X-Request-Id` that came, or a new one where none did or it could say something else. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  // Two of them arrive as one value with a comma, which is no id.
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

function traceparentOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const { traceparent } = headers
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : undefined
}
