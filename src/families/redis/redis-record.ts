// How families and user records stand in Redis: the keys, all of one user in one Cluster slot, and
// the hashes, whose fields are named like the properties they hold.

import type { ClientId } from '../../clients/client.ts'
import type { Stated } from '../../runtime/stated.ts'
import type { EpochStart, UserId, UserRecord, UserStatus } from '../../users/user.ts'
import type { Family, FamilyEndReason, FamilyId, TokenOwner } from '../family.ts'

export interface OwnerKeys {
  readonly user: string
  /** The live families of the user, scored by when the store forgets them. */
  readonly families: string
  /** The newest ended families of the user, scored by when they were made. */
  readonly ended: string
  readonly familyPrefix: string
  family(familyId: FamilyId): string
  /** The families that count towards the limit at one client. */
  liveFamilies(clientId: ClientId): string
  revokedToken(jti: string): string
}

/** The braces are a hash tag: only what they hold decides the slot. */
export function keysOf(owner: TokenOwner): OwnerKeys {
  const tag =
    owner.userId === undefined ? `lineage:{c:${owner.clientId}}` : `lineage:{u:${owner.userId}}`
  return {
    user: `${tag}:user`,
    families: `${tag}:families`,
    ended: `${tag}:ended`,
    familyPrefix: `${tag}:f:`,
    family: (familyId) => `${tag}:f:${familyId}`,
    liveFamilies: (clientId) => `${tag}:live:${clientId}`,
    revokedToken: (jti) => `${tag}:t:${jti}`,
  }
}

/** The arguments of a user's record, as put_user in family.lua takes them. */
export function encodeUser(record: UserRecord): (string | number)[] {
  const fields: { [Field in Exclude<keyof UserRecord, 'userId'>]-?: string | number } = {
    epoch: record.epoch,
    status: record.status,
    roles: JSON.stringify(record.roles),
    version: record.version,
    epochLog: JSON.stringify(record.epochLog),
    username: record.username ?? '',
  }
  return Object.values(fields)
}

/** A family that has just been made, as field and value by turns. */
export function encodeFamily(family: Family): (string | number)[] {
  const {
    familyId: _,
    userId: __,
    ended: ___,
    retriedElsewhere: ____,
    scope,
    audience,
    ...fields
  } = family
  const lists = { scope: JSON.stringify(scope), audience: JSON.stringify(audience) }
  // A field that is neither text nor a number needs a form of its own, here and where it is read.
  const hash: Record<string, string | number> = { ...fields, ...lists }
  return Object.entries(hash).flat()
}

/** Undefined for the empty hash, which is how Redis answers for a key that is not there. */
export function decodeUser(reply: unknown, userId: UserId): UserRecord | undefined {
  const field = readHash(reply)
  if (!field) return undefined
  const { username, ...record }: Stated<UserRecord> = {
    userId,
    epoch: Number(field('epoch')),
    status: field('status') as UserStatus,
    roles: JSON.parse(field('roles')) as string[],
    version: Number(field('version')),
    epochLog: JSON.parse(field('epochLog')) as EpochStart[],
    username: field('username', '') || undefined,
  }
  return username === undefined ? record : { ...record, username }
}

/** Undefined for the empty hash, as in `decodeUser`. */
export function decodeFamily(
  reply: unknown,
  userId: UserId,
  familyId: FamilyId,
): Stated<Family> | undefined {
  const field = readHash(reply)
  if (!field) return undefined
  const reason = field('endedReason', '') as FamilyEndReason | ''
  return {
    familyId,
    userId,
    clientId: field('clientId') as ClientId,
    scope: JSON.parse(field('scope')) as string[],
    audience: JSON.parse(field('audience')) as string[],
    secretHash: field('secretHash'),
    generation: Number(field('generation')),
    epoch: Number(field('epoch')),
    createdAtMs: Number(field('createdAtMs')),
    rotatedAtMs: Number(field('rotatedAtMs')),
    idleExpiresAtMs: Number(field('idleExpiresAtMs')),
    absoluteExpiresAtMs: Number(field('absoluteExpiresAtMs')),
    ended: reason === '' ? undefined : { reason, atMs: Number(field('endedAtMs')) },
    ip: field('ip'),
    userAgent: field('userAgent'),
    retriedElsewhere: Number(field('retriedElsewhere', '0')),
  }
}

type ReadField = (name: string, otherwise?: string) => string

function readHash(reply: unknown): ReadField | undefined {
  const flat = (reply ?? []) as readonly string[]
  if (flat.length === 0) return undefined
  const fields = new Map<string, string>()
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), String(flat[i + 1]))
  return (name, otherwise) => {
    const value = fields.get(name) ?? otherwise
    if (value === undefined) throw new TypeError(`a record in Redis lacks ${name}`)
    return value
  }
}
