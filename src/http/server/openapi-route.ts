// GET /openapi.json: the contract, with the issuer of this installation.

import type { FastifyInstance } from 'fastify'
import { cacheableBody } from '../../runtime/cacheable-body.ts'
import type { ApiFiles } from './api-files.ts'
import { sendCacheable } from './send-cacheable.ts'

const MAX_AGE_SECONDS = 300

export function registerOpenapi(app: FastifyInstance, { contract }: ApiFiles): void {
  const answer = cacheableBody(contract, MAX_AGE_SECONDS)
  app.get('/openapi.json', async (request, reply) =>
    sendCacheable(request, reply, 'application/json', answer),
  )
}
