// How families and user records stand in Redis: numbers of a fixed width, then texts with their
// lengths before them. Scripts pack them, out of the arguments made here, and answer them packed
// (lua/family.lua); here they are read once. Replies are `latin1`: a character is a byte.

import type { ClientId } from '../../clients/client.ts'
import type { Confirmation } from '../../oauth/confirmation.ts'
import type { Stated } from '../../runtime/stated.ts'
import type { EpochReason, EpochStart, UserId, UserRecord, UserStatus } from '../../users/user.ts'
import {
  type AuthMethod,
  BY_ASSERTION,
  BY_PASSWORD,
  BY_PASSWORD_AND_CODE,
  type Family,
  type FamilyEndReason,
  type FamilyId,
} from '../family.ts'
import { packText, packWords, unpackText, unpackWords } from './packed-text.ts'
import { longId, shortId } from './redis-keys.ts'

/** The place of a status is its number. */
const STATUSES: readonly UserStatus[] = ['active', 'disabled', 'deleted']

/** The bits of a family's first byte. */
const HAS_ENDED = 1
const HAS_CODE = 2
const HAS_JKT = 4
const HAS_X5T = 8
const IS_FEDERATED = 16
const HAS_USED_AT = 32

/** The arguments of a user's record, as put_user in family.lua takes them. */
export function encodeUser(record: UserRecord): (string | number)[] {
  const { version, epoch, status, username = '', roles, epochLog } = record
  return [
    version,
    epoch,
    STATUSES.indexOf(status),
    username,
    packWords(roles),
    epochLog.map(encodeEpochStart).join(''),
  ]
}

/** The arguments of a family that has just been made, as create.lua takes them. */
export function encodeFamily(family: Family): (string | number)[] {
  return [
    family.createdAtMs,
    family.idleExpiresAtMs,
    family.absoluteExpiresAtMs,
    family.secretHash,
    family.clientId,
    packWords(family.scope),
    packWords(family.audience),
    family.ip,
    packText(family.userAgent),
    flagsOf(family),
    family.confirmation?.jkt ?? '',
    family.confirmation?.['x5t#S256'] ?? '',
  ]
}

function flagsOf({ amr, confirmation }: Family): number {
  return (
    (amr.includes('otp') ? HAS_CODE : 0) |
    (amr.includes('fed') ? IS_FEDERATED : 0) |
    (confirmation?.jkt === undefined ? 0 : HAS_JKT) |
    (confirmation?.['x5t#S256'] === undefined ? 0 : HAS_X5T)
  )
}

function amrOf(flags: number): readonly AuthMethod[] {
  if ((flags & IS_FEDERATED) !== 0) return BY_ASSERTION
  return (flags & HAS_CODE) === 0 ? BY_PASSWORD : BY_PASSWORD_AND_CODE
}

/** Undefined where the store has no record. */
export function decodeUser(reply: unknown, userId: UserId): UserRecord | undefined {
  if (!reply) return undefined
  const { number, text } = readPacked(String(reply))
  // In the order in which they are packed.
  const [version, epoch, status] = [number(6), number(4), STATUSES[number(1)] ?? 'disabled']
  const username = text(2)
  const roles = unpackWords(text(2))
  const record = { userId, version, epoch, status, roles, epochLog: decodeEpochLog(text(2)) }
  return username === '' ? record : { ...record, username }
}

/** Undefined where the store has no such family. */
export function decodeFamily(
  reply: unknown,
  userId: UserId,
  familyId: FamilyId,
): Stated<Family> | undefined {
  if (!reply) return undefined
  const { number, text, rest } = readPacked(String(reply))
  const flags = number(1)
  const [generation, epoch, retriedElsewhere] = [number(4), number(4), number(2)]
  const [createdAtMs, rotatedAtMs] = [number(6), number(6)]
  // In the order in which they are packed; in one piece, because a copy of so many members is slow.
  return {
    familyId,
    userId,
    amr: amrOf(flags),
    generation,
    epoch,
    retriedElsewhere,
    createdAtMs,
    rotatedAtMs,
    idleExpiresAtMs: number(6),
    absoluteExpiresAtMs: number(6),
    secretHash: text(1),
    clientId: text(1) as ClientId,
    scope: unpackWords(text(2)),
    audience: unpackWords(text(2)),
    ip: text(1),
    userAgent: unpackText(text(2)),
    confirmation: readConfirmation(flags, text),
    usedAtMs: (flags & HAS_USED_AT) === 0 ? rotatedAtMs : number(6),
    ended:
      (flags & HAS_ENDED) !== 0
        ? { atMs: number(6), reason: rest() as FamilyEndReason }
        : undefined,
  }
}

function readConfirmation(
  flags: number,
  text: (sizeOfLength: number) => string,
): Confirmation | undefined {
  if ((flags & (HAS_JKT | HAS_X5T)) === 0) return undefined
  const jkt = (flags & HAS_JKT) === 0 ? {} : { jkt: text(1) }
  return (flags & HAS_X5T) === 0 ? jkt : { ...jkt, 'x5t#S256': text(1) }
}

function encodeEpochStart({ epoch, reason, atMs, keptFamilyId }: EpochStart): string {
  return `${epoch} ${reason} ${atMs} ${keptFamilyId === undefined ? '' : shortId(keptFamilyId)},`
}

function decodeEpochLog(text: string): EpochStart[] {
  if (text === '') return []
  const starts = text.slice(0, -1).split(',')
  return starts.map((start) => {
    const [epoch, reason, atMs, kept] = start.split(' ')
    const begun = { epoch: Number(epoch), reason: reason as EpochReason, atMs: Number(atMs) }
    return kept ? { ...begun, keptFamilyId: longId(kept) } : begun
  })
}

/** Reads one value after the other; each call is told how many bytes the number or length has. */
function readPacked(packed: string) {
  let at = 0

  function number(size: number): number {
    let value = 0
    for (const end = at + size; at < end; at += 1) value = value * 256 + packed.charCodeAt(at)
    return value
  }

  function text(sizeOfLength: number): string {
    const length = number(sizeOfLength)
    at += length
    if (at > packed.length) throw new TypeError('a record in Redis is too short')
    return decodeUtf8(packed.slice(at - length, at))
  }

  return { number, text, rest: () => packed.slice(at) }
}

function decodeUtf8(bytes: string): string {
  for (let i = 0; i < bytes.length; i += 1) {
    if (bytes.charCodeAt(i) > 0x7f) return Buffer.from(bytes, 'latin1').toString('utf8')
  }
  return bytes
}
