// Which passwords are guessed first, whatever their length: those that most people choose, and those
// made of what is known of the account (NIST SP 800-63B-4 §3.1.1.2). Nothing is asked of a password
// but that: no kind of character, and no mixture of them.

import { nameKey } from '../runtime/name-key.ts'
import { isCommonPassword } from './common-passwords.ts'
import type { PasswordLimits } from './password-policy.ts'

export interface PasswordRules extends PasswordLimits {
  /** False leaves the length as the only rule. */
  readonly passwordBlocklist: boolean
  /** Whose host no password may be made of. */
  readonly issuer: string
}

/** What is known of the account that the password is for. */
export interface PasswordOwner {
  readonly username: string
  readonly email: string
}

/** Over this length nobody tries what is typed by rolling over the keys first. */
const SIMPLE_LENGTH_MAX = 16
const ONE_OVER_AND_OVER = /^(?:(\d{1,4})\1+|([a-z])\2+)$/
/** Neighbours, in the alphabet and on the keys. */
const ROWS = ['01234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'qwertzuiop', 'asdfghjkl']
const RUNS = ROWS.flatMap((row) => [row, [...row].reverse().join('')])

/** A shorter word is found in many passwords by chance. */
const WORD_LENGTH_MIN = 4
/** With fewer characters beside it a word is the whole of what has to be guessed. */
const OTHERS_MIN = 4
const SEPARATORS = /[^\p{L}\p{M}\p{N}]+/u

/**
 * Why the password is among the first guesses, to follow the name of its member; undefined when it is
 * not. The caller has checked its length. Compared without regard to case and width of letters.
 */
export function findPasswordWeakness(
  password: string,
  { passwordBlocklist, issuer }: Pick<PasswordRules, 'passwordBlocklist' | 'issuer'>,
  { username, email }: PasswordOwner,
): string | undefined {
  if (!passwordBlocklist) return undefined
  const folded = nameKey(password)
  if (isCommonPassword(folded)) return 'is one of the passwords that are tried first'
  if (isSimple(folded)) return 'must not be a few characters over and over, or a row of neighbours'
  const known = [
    ['the username', username],
    ['the email address', email],
    ['the name of this service', new URL(issuer).hostname],
  ] as const
  const [whose] = known.find(([, text]) => isMadeOf(folded, nameKey(text))) ?? []
  return whose && `must not be little more than ${whose}`
}

/** What zxcvbn, whose list this is, leaves out of it because it finds it by a rule. */
function isSimple(folded: string): boolean {
  if (folded.length > SIMPLE_LENGTH_MAX) return false
  return ONE_OVER_AND_OVER.test(folded) || RUNS.some((run) => run.includes(folded))
}

/** Whether hardly anything is left of the password without the text, or without a word of it. */
function isMadeOf(folded: string, text: string): boolean {
  const parts = text.split(SEPARATORS).filter((part) => lengthOf(part) >= WORD_LENGTH_MIN)
  return [text, ...parts].some((word) => {
    if (word === '' || !folded.includes(word)) return false
    const others = lengthOf(folded.replaceAll(word, ''))
    return others < (lengthOf(word) < WORD_LENGTH_MIN ? 1 : OTHERS_MIN)
  })
}

/** In code points, as the limits are. */
function lengthOf(text: string): number {
  return [...text].length
}
