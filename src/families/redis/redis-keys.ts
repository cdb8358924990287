// The keys in Redis, all of one user in one Cluster slot. Ids stand in them in 22 characters each,
// because a key is a good part of what a family costs. No release with another layout of its records
// has used these names (docs/adr/0015-one-packed-record.md).

import { readUuid, UUID_BYTES, writeUuid } from '../../runtime/uuid.ts'
import type { FamilyId, TokenOwner } from '../family.ts'

export interface OwnerKeys {
  /** The record of the user, and behind it the index of the live families. */
  readonly user: string
  /** The newest ended families of the user, scored by when they were made. */
  readonly ended: string
  readonly familyPrefix: string
  family(familyId: FamilyId): string
  revokedToken(jti: string): string
}

/** The braces are a hash tag: only what they hold decides the slot. */
export function keysOf(owner: TokenOwner): OwnerKeys {
  const user =
    owner.userId === undefined
      ? `lineage:{c:${owner.clientId}}`
      : `lineage:{u:${shortId(owner.userId)}}`
  return {
    user,
    ended: `${user}:ended`,
    familyPrefix: `${user}:f:`,
    family: (familyId) => `${user}:f:${shortId(familyId)}`,
    revokedToken: (jti) => `${user}:t:${jti}`,
  }
}

const scratch = Buffer.alloc(UUID_BYTES)

/** The bytes of a UUID as base64url. Whatever is none stays as it is, marked so that it is no id. */
export function shortId(id: string): string {
  return writeUuid(id, scratch, 0) ? scratch.toString('base64url') : `=${id}`
}

/** The UUID that `shortId` was given. */
export function longId<Id extends string>(short: string): Id {
  return readUuid(Buffer.from(short, 'base64url'), 0) as Id
}
