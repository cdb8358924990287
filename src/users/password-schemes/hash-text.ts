// Base64 as password hashes write it: each text has one spelling of its bytes, or is refused.

import { timingSafeEqual } from 'node:crypto'

/** Without padding, as PHC strings have it; undefined for any other spelling of the bytes. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return encodeBase64(bytes) === text ? bytes : undefined
}

/** With padding (RFC 4648 §4); undefined for any other spelling of the bytes. */
export function decodePaddedBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** Passlib's, without padding and with `.` for `+`; undefined for any other spelling of the bytes. */
export function decodeAdaptedBase64(text: string): Buffer | undefined {
  return text.includes('+') ? undefined : decodeBase64(text.replaceAll('.', '+'))
}

export function encodeBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

/** In constant time for equal lengths. */
export function isSameBytes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
