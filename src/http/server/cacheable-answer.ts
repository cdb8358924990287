// Answers that may be kept: a body with an entity tag, and 304 for whoever has it already.

import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

export interface CacheableAnswer {
  readonly body: string
  /** A strong entity tag, quotes included. */
  readonly etag: string
  readonly maxAgeSeconds: number
}

/** The answer for a body that does not change while the process lives. */
export function cacheableAnswer(body: string, maxAgeSeconds: number): CacheableAnswer {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  return { body, etag: `"${digest}"`, maxAgeSeconds }
}

export function sendCacheable(
  request: FastifyRequest,
  reply: FastifyReply,
  mediaType: string,
  { body, etag, maxAgeSeconds }: CacheableAnswer,
): FastifyReply {
  reply.header('cache-control', `public, max-age=${maxAgeSeconds}`).header('etag', etag)
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim())
  // RFC 9110 §13.1.2: the comparison is weak, and `*` matches anything.
  if (known.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) {
    return reply.code(304).send()
  }
  return reply.type(mediaType).send(body)
}
