// A second factor: what a user has besides the password. There is one type, an authenticator that shows
// one-time codes (RFC 6238); recovery codes stand in for it when it is lost.

import type { FieldError } from '../runtime/field-error.ts'

export type FactorId = string & { readonly brand: 'FactorId' }

export interface Factor {
  readonly id: FactorId
  readonly type: 'totp'
  /** As its owner calls it; undefined where no name was given. */
  readonly name: string | undefined
  /** Only an active one is asked for at logins. A pending one has not shown a right code yet. */
  readonly status: 'pending' | 'active'
  readonly createdAt: Date
  readonly activatedAt: Date | undefined
}

/** Pending ones included, so that nobody fills the table. */
export const FACTORS_MAX = 5
/** A pending factor that shows no right code within this time is gone. */
export const PENDING_MS = 60 * 60 * 1000

const NAME_LENGTH_MAX = 64

export function findNameErrors(name: string | undefined): FieldError[] {
  if (name === undefined) return []
  const isGood =
    name.trim() !== '' && [...name].length <= NAME_LENGTH_MAX && !/[\p{Cc}\p{Cs}]/u.test(name)
  const detail = `must be 1 to ${NAME_LENGTH_MAX} characters, no control characters`
  return isGood ? [] : [{ pointer: '/name', detail }]
}
