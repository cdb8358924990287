// The token that a mail carries: whoever brings it back reads the mail of the user whom it names. It
// is a string of its own kind, as a refresh token is, and no JWT. Nothing of it is stored: it is void
// once the user's password or address is another one than it was made for (docs/semantics.md §21).

import { timingSafeEqual } from 'node:crypto'
import { readUuid, UUID_BYTES, writeUuid } from '../runtime/uuid.ts'
import { hmacSha256 } from '../secrets/hmac.ts'
import type { RootSecret, RootSecrets } from '../secrets/root-secret.ts'
import type { User, UserId } from './user.ts'

const PREFIX = 'lct_'
const VERSION = 1
const STATE_BYTES = 16
const MAC_BYTES = 16
/** Version, root secret and purpose, a byte each; then user, expiry and state. */
const SIGNED_BYTES = 3 + UUID_BYTES + 4 + STATE_BYTES
const TOKEN_LENGTH = PREFIX.length + Math.ceil(((SIGNED_BYTES + MAC_BYTES) * 8) / 6)
/** Begins what the state is made of, so that no state is a MAC of a token, which begins with VERSION. */
const STATE_MARK = '\0'

export type ConfirmationPurpose = 'password_reset' | 'email_verification'

/** The byte of each purpose: a token of the one is never good for the other. */
const PURPOSE_BYTES = {
  password_reset: 1,
  email_verification: 2,
} as const satisfies Record<ConfirmationPurpose, number>

export const CONFIRMATION_LIFE_SECONDS = {
  password_reset: 30 * 60,
  email_verification: 3 * 24 * 60 * 60,
} as const satisfies Record<ConfirmationPurpose, number>

/** The user whom a token is about, as he is now. */
export interface ConfirmationSubject {
  readonly user: Pick<User, 'id' | 'email' | 'passwordChangedAt'>
  /**
   * For a reset: each new password begins an epoch, so a token that has set one is void, whatever the
   * clock says. Logging out everywhere voids it too. A verification outlives both.
   */
  readonly epoch?: number
}

/** A token that was presented, whose MAC is right, whose purpose fits and whose time is not over. */
export interface AuthenticConfirmation {
  readonly userId: UserId
  /** Whether the user has the password and the address that the token was made for. */
  isAbout(subject: ConfirmationSubject): boolean
}

/** 78 characters, the same ones for the same input and root secret. `expiresAt` is in epoch seconds. */
export function mintConfirmationToken(
  purpose: ConfirmationPurpose,
  subject: ConfirmationSubject,
  expiresAt: number,
  secrets: RootSecrets,
): string {
  const secret = secrets.current
  const bytes = Buffer.allocUnsafe(SIGNED_BYTES + MAC_BYTES)
  let at = bytes.writeUInt8(VERSION, 0)
  at = bytes.writeUInt8(secret.id, at)
  at = bytes.writeUInt8(PURPOSE_BYTES[purpose], at)
  if (!writeUuid(subject.user.id, bytes, at)) throw new TypeError('an id is no UUID')
  at = bytes.writeUInt32BE(expiresAt, at + UUID_BYTES)
  at += stateOf(subject, secret).copy(bytes, at)
  mac(bytes.subarray(0, at), secret).copy(bytes, at)
  return PREFIX + bytes.toString('base64url')
}

/** Undefined for any string that is no token for this purpose at this time. Does no I/O. */
export function authenticateConfirmation(
  presented: string,
  purpose: ConfirmationPurpose,
  secrets: RootSecrets,
  nowMs: number,
): AuthenticConfirmation | undefined {
  if (presented.length !== TOKEN_LENGTH || !presented.startsWith(PREFIX)) return undefined
  const encoded = presented.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer decodes leniently; one token must have one spelling.
  if (bytes.toString('base64url') !== encoded || bytes.readUInt8(0) !== VERSION) return undefined
  const secret = secrets.byId(bytes.readUInt8(1))
  if (!secret) return undefined
  const signed = bytes.subarray(0, SIGNED_BYTES)
  if (!timingSafeEqual(mac(signed, secret), bytes.subarray(SIGNED_BYTES))) return undefined
  const expiresAt = signed.readUInt32BE(3 + UUID_BYTES)
  const isMeant = signed.readUInt8(2) === PURPOSE_BYTES[purpose] && nowMs < expiresAt * 1000
  if (!isMeant) return undefined
  const userId = readUuid(signed, 3) as UserId
  const state = Buffer.from(signed.subarray(SIGNED_BYTES - STATE_BYTES))
  return {
    userId,
    isAbout: (subject) =>
      subject.user.id === userId && timingSafeEqual(stateOf(subject, secret), state),
  }
}

/** Keyed, so that the token tells nobody when the password was changed. */
function stateOf(
  { user: { email, passwordChangedAt }, epoch }: ConfirmationSubject,
  { confirmationTokenKey }: RootSecret,
): Buffer {
  // As it is written: two addresses with one key of names may be two mailboxes.
  const told = JSON.stringify([email, passwordChangedAt.getTime(), epoch ?? null])
  return hmacSha256(confirmationTokenKey, Buffer.from(STATE_MARK + told)).subarray(0, STATE_BYTES)
}

function mac(bytes: Buffer, { confirmationTokenKey }: RootSecret): Buffer {
  return hmacSha256(confirmationTokenKey, bytes).subarray(0, MAC_BYTES)
}
