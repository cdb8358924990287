// GET /.well-known/jwks.json (RFC 7517 §5): what verifiers cache for as long as `max-age` says.

import type { FastifyInstance } from 'fastify'
import type { SigningKeys } from '../tokens/signing-keys.ts'

export function registerJwks(app: FastifyInstance, keys: Pick<SigningKeys, 'jwks'>): void {
  app.get('/.well-known/jwks.json', async (request, reply) => {
    const { body, etag, maxAgeSeconds } = keys.jwks()
    reply.header('cache-control', `public, max-age=${maxAgeSeconds}`).header('etag', etag)
    const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim())
    // RFC 9110 §13.1.2: the comparison is weak, and `*` matches anything.
    if (known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) {
      return reply.code(304).send()
    }
    return reply.type('application/jwk-set+json').send(body)
  })
}
