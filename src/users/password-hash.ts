// A password hash of any scheme: read by the first scheme that knows it, or refused.

import type { Argon2Parameters } from './argon2-parameters.ts'
import type { PasswordCost, PasswordWork, StoredHash } from './password-scheme.ts'
import { PASSWORD_SCHEMES } from './password-schemes/password-schemes.ts'
import { argon2Cost } from './password-work/argon2-work.ts'

/** The longest spelling of any scheme, Firebase's, is shorter. */
const TEXT_MAX = 1_024

/** Undefined for what no scheme knows, or for parameters out of its bounds. */
export function parsePasswordHash(text: string): StoredHash | undefined {
  if (text.length > TEXT_MAX) return undefined
  for (const scheme of PASSWORD_SCHEMES) {
    const hash = scheme.parse(text)
    if (hash) return hash
  }
  return undefined
}

/** As `parsePasswordHash`, but not of a hash with a pepper: who imports it cannot know which it was. */
export function parseForeignHash(text: string): StoredHash | undefined {
  const hash = parsePasswordHash(text)
  return hash?.pepperId === undefined ? hash : undefined
}

/** What a hash has to be; continues a sentence that begins with the name of the member. */
export const PASSWORD_HASH_RULE = `must be a password hash of one of these schemes, within its bounds: ${PASSWORD_SCHEMES.map(({ rule }) => rule).join('; ')}`

const WORKS: ReadonlyMap<string, PasswordWork> = new Map(
  PASSWORD_SCHEMES.map(({ work }) => [work.family, work]),
)

/** Undefined for a cost of a scheme that is not known here. */
export function findWork({ group }: PasswordCost): PasswordWork | undefined {
  return WORKS.get(group.split(' ')[0] ?? '')
}

/**
 * What an imported hash is beside one by the configured parameters: `isWeak` where it takes less work,
 * as far as the two can be compared, `isDear` where logins of everybody take longer until it is renewed.
 * Without a hash neither: the password is then hashed by those parameters.
 */
export function compareHash(
  text: string | undefined,
  parameters: Argon2Parameters,
): { readonly isHashWeak: boolean; readonly isHashDear: boolean } {
  const own = argon2Cost('id', parameters)
  const { group, work } = (text === undefined ? undefined : parsePasswordHash(text)?.cost) ?? own
  const isComparable = group === own.group
  return {
    isHashWeak: isComparable && work < own.work,
    isHashDear: !isComparable || work > own.work,
  }
}
