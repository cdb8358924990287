// The refresh token as a string: minting one, and checking without any I/O whether one was minted
// here (docs/semantics.md §2). Whether its family lives is for the family store to say.

import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { hmacSha256 } from '../secrets/hmac.ts'
import type { RootSecret, RootSecrets } from '../secrets/root-secret.ts'
import type { UserId } from '../users/user.ts'
import type { FamilyId } from './family.ts'

const PREFIX = 'lrt_'
const VERSION = 1
const SECRET_BYTES = 16
const MAC_BYTES = 16
const SIGNED_BYTES = 1 + 1 + 16 + 16 + SECRET_BYTES + 4
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

/** 98 characters, the same ones for the same input and root secret. */
export function mintRefreshToken(token: RefreshToken, secrets: RootSecrets): string {
  const { id, refreshTokenKey } = secrets.current
  const bytes = Buffer.alloc(SIGNED_BYTES)
  let at = bytes.writeUInt8(VERSION, 0)
  at = bytes.writeUInt8(id, at)
  at += writeUuid(bytes, token.userId, at)
  at += writeUuid(bytes, token.familyId, at)
  at += token.familySecret.copy(bytes, at)
  bytes.writeUInt32BE(token.generation, at)
  return PREFIX + Buffer.concat([bytes, mac(bytes, refreshTokenKey)]).toString('base64url')
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
    userId: uuidText(signed.subarray(2, 18)) as UserId,
    familyId: uuidText(signed.subarray(18, 34)) as FamilyId,
    familySecret: Buffer.from(signed.subarray(34, 34 + SECRET_BYTES)),
    generation,
    rootSecret,
  }
}

function mac(bytes: Buffer, key: Buffer): Buffer {
  return hmacSha256(key, bytes).subarray(0, MAC_BYTES)
}

/** Cut out by position, since every refresh reads two and writes two. Returns the bytes written. */
function writeUuid(bytes: Buffer, uuid: string, at: number): number {
  const digits =
    uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
  return bytes.write(digits, at, 'hex')
}

function uuidText(bytes: Buffer): string {
  const digits = bytes.toString('hex')
  const [a, b, c] = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16)]
  return `${a}-${b}-${c}-${digits.slice(16, 20)}-${digits.slice(20)}`
}
