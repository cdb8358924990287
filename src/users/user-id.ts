// The ids of users: UUIDs in lower case, never the nil one.

import { randomUUID } from 'node:crypto'
import { isUuid } from '../runtime/uuid.ts'
import type { UserId } from './user.ts'

const NIL = '00000000-0000-0000-0000-000000000000'

export function newUserId(): UserId {
  return randomUUID() as UserId
}

/** Lower-cases; undefined for anything but a UUID, and for the nil one. */
export function parseUserId(text: string): UserId | undefined {
  const id = text.toLowerCase()
  return isUuid(id) && id !== NIL ? (id as UserId) : undefined
}
