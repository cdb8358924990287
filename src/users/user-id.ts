// The ids of users: UUIDs in lower case, never the nil one.

import { randomUUID } from 'node:crypto'
import type { UserId } from './user.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const NIL = '00000000-0000-0000-0000-000000000000'

export function newUserId(): UserId {
  return randomUUID() as UserId
}

/** Lower-cases; undefined for anything but a UUID, and for the nil one. */
export function parseUserId(text: string): UserId | undefined {
  const id = text.toLowerCase()
  return UUID.test(id) && id !== NIL ? (id as UserId) : undefined
}
