// What a client's id looks like: server-made, or a slug that an administrator chose. Neither is
// ever shaped like a user's id, so a client's `sub` is never a user's (RFC 9068 §5).

import { randomBytes } from 'node:crypto'
import { isUuid } from '../runtime/uuid.ts'
import type { ClientId } from './client.ts'

const SERVER_MADE = /^c_[A-Za-z0-9_-]{22}$/
const SLUG = /^[a-z][a-z0-9-]{1,62}$/

/** A server-made id: `c_` and 128 random bits. */
export function newClientId(): ClientId {
  return `c_${randomBytes(16).toString('base64url')}` as ClientId
}

/** Whether an administrator may choose this id; the bootstrap client's id keeps the same rule. */
export function isClientSlug(text: string): boolean {
  return SLUG.test(text) && !isUuid(text)
}

/** Whether any client can have this id; whatever else is asked for needs no look-up. */
export function isClientId(text: string): text is ClientId {
  return SERVER_MADE.test(text) || isClientSlug(text)
}
