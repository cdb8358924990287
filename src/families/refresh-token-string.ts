// The refresh token as a string: minting one, and checking without any I/O whether one was minted
// here (docs/semantics.md §2). Whether its family lives is for the family store to say.

import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readUuid, UUID_BYTES, writeUuid } from '../runtime/uuid.ts'
import { hmacSha256 } from '../secrets/hmac.ts'
import type { RootSecret, RootSecrets } from '../secrets/root-secret.ts'
import type { UserId } from '../users/user.ts'
import type { FamilyId } from './family.ts'

const PREFIX = 'lrt_'
const VERSION = 1
const SECRET_BYTES = 16
const MAC_BYTES = 16
const SIGNED_BYTES = 1 + 1 + UUID_BYTES + UUID_BYTES + SECRET_BYTES + 4
const TOKEN_LENGTH = PREFIX.length + Math.ceil(((SIGNED_BYTES + MAC_BYTES) * 8) / 6)
/** The last generation has no successor, so a token that names it was never minted. */
const GENERATION_MAX = 0xffff_fffe

/** What a refresh token says. */
export interface RefreshToken {
  readonly userId: UserId
  readonly familyId: FamilyId
  readonly familySecret: Buffer
  readonly generation: number
}

/** A refresh token that was presented and whose MAC is right. */
export interface AuthenticRefreshToken extends RefreshToken {
  /** The root secret that it names, under which its successor's access token is identified. */
  readonly rootSecret: RootSecret
}

/** A new random family secret: in every token of the family, and hashed in the store. */
export function newFamilySecret(): Buffer {
  return randomBytes(SECRET_BYTES)
}

/** SHA-256 as base64url, the only form in which a family secret is stored. */
export function hashFamilySecret(familySecret: Buffer): string {
  return hash('sha256', familySecret, 'base64url')
}

/** In constant time, though whoever comes here has presented a good MAC: it costs nothing. */
export function isSameSecretHash(stored: string, given: string): boolean {
  const [left, right] = [Buffer.from(stored), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** 98 characters, the same ones for the same input and root secret. */
export function mintRefreshToken(token: RefreshToken, secrets: RootSecrets): string {
  const { id, refreshTokenKey } = secrets.current
  const bytes = Buffer.allocUnsafe(SIGNED_BYTES + MAC_BYTES)
  let at = bytes.writeUInt8(VERSION, 0)
  at = bytes.writeUInt8(id, at)
  for (const uuid of [token.userId, token.familyId]) {
    if (!writeUuid(uuid, bytes, at)) throw new TypeError('an id is no UUID')
    at += UUID_BYTES
  }
  at += token.familySecret.copy(bytes, at)
  at = bytes.writeUInt32BE(token.generation, at)
  mac(bytes.subarray(0, at), refreshTokenKey).copy(bytes, at)
  return PREFIX + bytes.toString('base64url')
}

/** Undefined for any string that no configured root secret minted. Does no I/O. */
export function authenticateRefreshToken(
  presented: string,
  secrets: RootSecrets,
): AuthenticRefreshToken | undefined {
  if (presented.length !== TOKEN_LENGTH || !presented.startsWith(PREFIX)) return undefined
  const encoded = presented.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer decodes leniently; one token must have one spelling.
  if (bytes.toString('base64url') !== encoded || bytes.readUInt8(0) !== VERSION) return undefined
  const rootSecret = secrets.byId(bytes.readUInt8(1))
  if (!rootSecret) return undefined
  const signed = bytes.subarray(0, SIGNED_BYTES)
  const expected = mac(signed, rootSecret.refreshTokenKey)
  if (!timingSafeEqual(expected, bytes.subarray(SIGNED_BYTES))) return undefined
  const generation = signed.readUInt32BE(SIGNED_BYTES - 4)
  if (generation > GENERATION_MAX) return undefined
  return {
    userId: readUuid(signed, 2) as UserId,
    familyId: readUuid(signed, 2 + UUID_BYTES) as FamilyId,
    familySecret: Buffer.from(signed.subarray(34, 34 + SECRET_BYTES)),
    generation,
    rootSecret,
  }
}

function mac(bytes: Buffer, key: Buffer): Buffer {
  return hmacSha256(key, bytes).subarray(0, MAC_BYTES)
}
