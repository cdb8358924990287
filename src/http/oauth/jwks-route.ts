// GET /.well-known/jwks.json (RFC 7517 §5): what verifiers cache for as long as `max-age` says.

import type { FastifyInstance } from 'fastify'
import type { KeyRing } from '../../keys/key-ring.ts'
import { registerRead } from '../server/endpoint.ts'
import { sendCacheable } from '../server/send-cacheable.ts'

export function registerJwks(app: FastifyInstance, keys: Pick<KeyRing, 'jwks'>): void {
  registerRead(app, '/.well-known/jwks.json', (request, reply) =>
    sendCacheable(request, reply, 'application/jwk-set+json', keys.jwks()),
  )
}
