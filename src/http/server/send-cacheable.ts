// Sends a body that may be kept, and 304 to whoever has it already.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CacheableBody } from '../../runtime/cacheable-body.ts'

export function sendCacheable(
  request: FastifyRequest,
  reply: FastifyReply,
  mediaType: string,
  { body, etag, maxAgeSeconds }: CacheableBody,
): FastifyReply {
  reply.header('cache-control', `public, max-age=${maxAgeSeconds}`).header('etag', etag)
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim())
  // RFC 9110 §13.1.2: the comparison is weak, and `*` matches anything.
  if (known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) {
    return reply.code(304).send()
  }
  return reply.type(mediaType).send(body)
}
