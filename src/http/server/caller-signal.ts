// Whether somebody still waits for the answer, for work that is not worth doing for nobody.

import type { FastifyReply } from 'fastify'

/**
 * Aborts when the caller hangs up. Fastify's own `request.signal` does not say that: since Node 16
 * the request closes as soon as its body has been read.
 */
export function callerSignal({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  // The response also closes after the answer, when nobody listens to the signal any more.
  raw.once('close', () => controller.abort())
  if (raw.closed) controller.abort()
  return controller.signal
}
