// Sends a body that may be kept, and 304 to whoever has it already.

import type { FastifyInstance } from 'fastify'
import { type CacheableBody, cacheableBody } from '../../runtime/cacheable-body.ts'
import { trimBlanks } from '../../runtime/trim-blanks.ts'
import type { EndpointReply, EndpointRequest } from './endpoint.ts'

/** For what changes with a new version or configuration only. */
const MAX_AGE_SECONDS = 300

/** Serves a document that stays as it is while the service runs. */
export function serveCacheable(
  app: FastifyInstance,
  path: string,
  mediaType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const answer = cacheableBody(body, MAX_AGE_SECONDS)
  app.get(path, async (request, reply) => {
    reply.headers(headers)
    return sendCacheable(request, reply, mediaType, answer)
  })
}

export function sendCacheable(
  request: Pick<EndpointRequest, 'headers'>,
  reply: EndpointReply,
  mediaType: string,
  { body, etag, maxAgeSeconds }: CacheableBody,
): EndpointReply {
  reply.header('cache-control', `public, max-age=${maxAgeSeconds}`).header('etag', etag)
  const known = request.headers['if-none-match']
  if (known !== undefined && isKnown(etag, known)) return reply.code(304).send()
  return reply.type(mediaType).send(body)
}

/** RFC 9110 §13.1.2: the comparison is weak, and `*` matches anything. */
function isKnown(etag: string, list: string): boolean {
  const tags = list.split(',').map(trimBlanks)
  return tags.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}
