// Time-based one-time codes (RFC 6238): SHA-1, six digits, steps of 30 seconds, which is what every
// authenticator takes. Whether a code was used before is for the store to say.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { encodeBase32 } from './base32.ts'

/** RFC 4226 §4 R6 wants 16 at least and recommends these 20, the length of the hash. */
export const TOTP_SECRET_BYTES = 20
const ALGORITHM = 'sha1'
const DIGITS = 6
const STEP_MS = 30_000
/** RFC 6238 §5.2: a code may be on its way while the step ends, and clocks differ. */
const DRIFT_STEPS = 1

/** The code of a step (RFC 4226 §5.3, RFC 6238 §4.2). */
export function oneTimeCode(secret: Buffer, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac(ALGORITHM, secret).update(counter).digest()
  const offset = mac.readUInt8(mac.length - 1) & 0x0f
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** The step that `ms`, since the epoch, lies in. */
export function stepAt(ms: number): number {
  return Math.floor(ms / STEP_MS)
}

/**
 * The newest step, of the present one and one to either side, that has this code. As long for a wrong
 * code as for a right one.
 */
export function findStep(secret: Buffer, code: string, nowMs: number): number | undefined {
  const given = Buffer.from(code)
  const now = stepAt(nowMs)
  let found: number | undefined
  for (let step = Math.max(0, now - DRIFT_STEPS); step <= now + DRIFT_STEPS; step += 1) {
    const expected = Buffer.from(oneTimeCode(secret, step))
    if (given.length === expected.length && timingSafeEqual(given, expected)) found = step
  }
  return found
}

/** What was typed, without the blanks in which authenticators group their digits. */
export function readCode(text: string): string | undefined {
  const code = text.replaceAll(' ', '')
  return /^\d{6}$/.test(code) ? code : undefined
}

/** The text of the QR code that authenticators read: the key-URI form. */
export function otpauthUri(secret: Buffer, issuer: string, account: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`
  const parameters = [
    `secret=${encodeBase32(secret)}`,
    `issuer=${encodeURIComponent(issuer)}`,
    `algorithm=${ALGORITHM.toUpperCase()}`,
    `digits=${DIGITS}`,
    `period=${STEP_MS / 1000}`,
  ]
  return `otpauth://totp/${label}?${parameters.join('&')}`
}
