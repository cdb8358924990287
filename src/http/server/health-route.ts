// GET /livez: the process answers. GET /readyz: whether to send it traffic (docs/semantics.md §13).

import type { FastifyInstance } from 'fastify'
import type { Health } from '../../ops/health.ts'

/** Liveness never asks a dependency: a restart would not bring one back. */
export function registerHealth(
  app: FastifyInstance,
  { health }: { readonly health: Pick<Health, 'readiness'> },
): void {
  app.get('/livez', async (_request, reply) => {
    return reply.header('cache-control', 'no-store').send({ status: 'ok' })
  })
  app.get('/readyz', async (_request, reply) => {
    const readiness = await health.readiness()
    const isUnready = readiness.status === 'starting' || readiness.status === 'draining'
    return reply
      .code(isUnready ? 503 : 200)
      .header('cache-control', 'no-store')
      .send(readiness)
  })
}
