// What a password may be: any Unicode, by length alone, never truncated (DESIGN §7).

/** In code points after NFKC. */
export interface PasswordLimits {
  readonly passwordMinLength: number
  readonly passwordMaxLength: number
}

export type PasswordProblem = 'too_short' | 'too_long' | 'malformed'

/** Canonical composition makes one code unit of four at the most. */
const UNITS_PER_CODE_POINT = 4

// It has no UTF-8: all of them would hash as the one replacement character.
const LONE_SURROGATE = /\p{Cs}/u

/** Why a new password is refused, or undefined. Bounded: nothing over-long is normalised. */
export function findPasswordProblem(
  password: string,
  { passwordMinLength, passwordMaxLength }: PasswordLimits,
): PasswordProblem | undefined {
  if (password.length > passwordMaxLength * UNITS_PER_CODE_POINT) return 'too_long'
  if (LONE_SURROGATE.test(password)) return 'malformed'
  const length = [...normalizePassword(password)].length
  if (length > passwordMaxLength) return 'too_long'
  return length < passwordMinLength ? 'too_short' : undefined
}

/** The form in which a password is measured and hashed. */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC')
}
