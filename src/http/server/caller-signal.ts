// A signal for work that is worth nothing once its caller has hung up.

import type { EndpointReply } from './endpoint.ts'

/**
 * Aborts when the caller hangs up. Fastify's own `request.signal` does not say that: since Node 16
 * the request closes as soon as its body has been read.
 */
export function callerSignal({ raw }: Pick<EndpointReply, 'raw'>): AbortSignal {
  const controller = new AbortController()
  // It also closes after the answer was sent; to abort then would only make an error object.
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  if (raw.closed) controller.abort()
  return controller.signal
}
