// GET /openapi.json: the contract, with the issuer of this installation (INTERFACE §1).

import type { FastifyInstance } from 'fastify'
import { cacheableAnswer, sendCacheable } from './cacheable-answer.ts'
import type { Contract } from './docs/contract.ts'

const MAX_AGE_SECONDS = 300

export function registerOpenapi(app: FastifyInstance, contract: Contract): void {
  const answer = cacheableAnswer(JSON.stringify(contract), MAX_AGE_SECONDS)
  app.get('/openapi.json', async (request, reply) =>
    sendCacheable(request, reply, 'application/json', answer),
  )
}
