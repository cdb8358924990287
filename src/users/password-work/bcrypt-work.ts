// bcrypt, computed on a thread of libuv's pool by the package `bcrypt`. Each step of the cost doubles
// the time, and nothing else changes it.

import bcrypt from 'bcrypt'
import type { PasswordCost, PasswordWork } from '../password-scheme.ts'

/** 16 bytes in bcrypt's own base64. */
const SALT = 'abcdefghijklmnopqrstuu'
/** bcrypt looks at no more. */
const BYTES_MAX = 72

/** The settings name each cost, so that logins run the same hashes and not only as much work. */
export function bcryptCost(cost: number): PasswordCost {
  return { group: 'bcrypt', work: 2 ** cost, settings: String(cost) }
}

/**
 * The whole text of the hash. Cut at 72 bytes, as every bcrypt does or should: OpenBSD's $2a$ of old
 * counted lengths from 255 on wrongly, and is the only one that did.
 */
export async function deriveBcrypt(password: Buffer, cost: number, salt: string): Promise<string> {
  const digits = String(cost).padStart(2, '0')
  return await bcrypt.hash(password.subarray(0, BYTES_MAX), `$2b$${digits}$${salt}`)
}

export const bcryptWork: PasswordWork = {
  family: 'bcrypt',
  spend: async ({ settings }, password) => void (await deriveBcrypt(password, +settings, SALT)),
}
