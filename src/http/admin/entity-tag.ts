// Entity tags against lost updates: an administrator who read an older state is told so instead of
// overwriting a newer one (RFC 9110 §13.1.1).

import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from '../server/api-error.ts'

const TAG_LENGTH = 22

/** A strong tag: the same for the same representation, whichever instance made it. */
export function entityTagOf(representation: unknown): string {
  const digest = hash('sha256', JSON.stringify(representation), 'base64url')
  return `"${digest.slice(0, TAG_LENGTH)}"`
}

/** Sets `ETag` and hands the representation back to be sent. */
export function withEntityTag<T>(reply: FastifyReply, representation: T): T {
  reply.header('etag', entityTagOf(representation))
  return representation
}

/**
 * Throws ApiError 412 when `If-Match` names another state than `current`. Call it where nobody
 * else can change the state before the change that it guards. Weak tags never match.
 */
export function requireMatch(request: FastifyRequest, current: unknown): void {
  const wanted = request.headers['if-match']
  if (wanted === undefined || wanted.trim() === '*') return
  const tags = wanted.split(',').map((tag) => tag.trim())
  if (!tags.includes(entityTagOf(current))) throw new ApiError('precondition_failed')
}
