// Entity tags against lost updates: an administrator who read an older state is told so instead of
// overwriting a newer one (RFC 9110 §13.1.1).

import type { FastifyReply, FastifyRequest } from 'fastify'
import { entityTagOf } from '../../runtime/cacheable-body.ts'
import { trimBlanks } from '../../runtime/trim-blanks.ts'
import { ApiError } from '../server/api-error.ts'

/** Sets `ETag` and hands the representation back to be sent. */
export function withEntityTag<T>(reply: FastifyReply, representation: T): T {
  reply.header('etag', entityTagOf(JSON.stringify(representation)))
  return representation
}

/**
 * Throws ApiError 412 when `If-Match` names another state than the one that it sees. Call it where
 * nobody else can change that before the change that it guards. Weak tags never match.
 */
export function matchOf(request: FastifyRequest): (current: unknown) => void {
  const wanted = request.headers['if-match']
  return (current) => {
    if (wanted === undefined || trimBlanks(wanted) === '*') return
    const tags = wanted.split(',').map(trimBlanks)
    if (!tags.includes(entityTagOf(JSON.stringify(current)))) {
      throw new ApiError('precondition_failed')
    }
  }
}
