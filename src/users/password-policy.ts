// What a password may be: any Unicode, by length alone, never truncated (docs/semantics.md §6).

/** In code points after NFKC. */
export interface PasswordLimits {
  readonly passwordMinLength: number
  readonly passwordMaxLength: number
}

export type PasswordProblem = 'too_short' | 'too_long' | 'malformed'

/** NFKC makes no code point of more than four UTF-16 units: this bounds the length before it. */
const UNITS_PER_CODE_POINT = 4

// It has no form in UTF-8: all of them would be hashed as the same replacement character.
const LONE_SURROGATE = /\p{Cs}/u

/** Why a new password is refused, or undefined. Checks the length before it normalises. */
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
