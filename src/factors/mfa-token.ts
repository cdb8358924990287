// The token between the two steps of a login: that a client has shown a right password for a user, and
// what it then asked for. Minting one, and checking without any I/O whether one was minted here; whether
// it was used is for the store to say.

import { randomUUID, timingSafeEqual } from 'node:crypto'
import type { ClientId } from '../clients/client.ts'
import { hmacSha256 } from '../secrets/hmac.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { UserId } from '../users/user.ts'

const PREFIX = 'lmt_'
const VERSION = 1
const HEADER_BYTES = 2
const MAC_BYTES = 32
/** Above what the longest lists of a client make (clients/client-draft.ts). */
const LENGTH_MAX = 12_288

/** How long the second step may take. */
const MFA_TOKEN_MS = 5 * 60 * 1000

/** What the first step was granted, to be given after the second one. */
export interface LoginTarget {
  readonly scope: readonly string[]
  /** Whether the request named a scope: then nothing left of it is an error. */
  readonly isScopeAsked: boolean
  readonly audience: {
    /** What the whole grant may address. */
    readonly grant: readonly string[]
    /** What the first token addresses. */
    readonly token: readonly string[]
  }
}

export interface MfaToken {
  /** A UUID, by which its use is known. */
  readonly id: string
  readonly userId: UserId
  /** Of the user at the first step: a new password or a logout everywhere voids the token. */
  readonly epoch: number
  readonly clientId: ClientId
  readonly expiresAtMs: number
  readonly target: LoginTarget
}

export function newMfaToken(step: Omit<MfaToken, 'id' | 'expiresAtMs'>, nowMs: number): MfaToken {
  return { ...step, id: randomUUID(), expiresAtMs: nowMs + MFA_TOKEN_MS }
}

export function mintMfaToken(token: MfaToken, { current }: RootSecrets): string {
  const signed = Buffer.concat([
    Buffer.from([VERSION, current.id]),
    Buffer.from(JSON.stringify(token)),
  ])
  const mac = hmacSha256(current.mfaTokenKey, signed)
  return PREFIX + Buffer.concat([signed, mac]).toString('base64url')
}

/** Undefined for any string that no configured root secret minted. */
export function authenticateMfaToken(
  presented: string,
  rootSecrets: RootSecrets,
): MfaToken | undefined {
  if (presented.length > LENGTH_MAX || !presented.startsWith(PREFIX)) return undefined
  const encoded = presented.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer decodes leniently; one token must have one spelling.
  if (bytes.toString('base64url') !== encoded || bytes.length < HEADER_BYTES + MAC_BYTES) {
    return undefined
  }
  const root = bytes.readUInt8(0) === VERSION ? rootSecrets.byId(bytes.readUInt8(1)) : undefined
  if (!root) return undefined
  const signed = bytes.subarray(0, -MAC_BYTES)
  const expected = hmacSha256(root.mfaTokenKey, signed)
  if (!timingSafeEqual(expected, bytes.subarray(-MAC_BYTES))) return undefined
  // Written by `mintMfaToken` alone, as the MAC shows.
  return JSON.parse(signed.subarray(HEADER_BYTES).toString()) as MfaToken
}
