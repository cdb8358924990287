// GET /openapi.json: the contract, with the issuer of this installation.

import type { FastifyInstance } from 'fastify'
import type { ApiFiles } from './api-files.ts'
import { cacheableAnswer, sendCacheable } from './cacheable-answer.ts'

const MAX_AGE_SECONDS = 300

export function registerOpenapi(app: FastifyInstance, { contract }: ApiFiles): void {
  const answer = cacheableAnswer(contract, MAX_AGE_SECONDS)
  app.get('/openapi.json', async (request, reply) =>
    sendCacheable(request, reply, 'application/json', answer),
  )
}
