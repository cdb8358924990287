// Tokens whose signature was found right, so that a gateway that asks again for the same token pays
// for one signature. Keeps hashes and claims, never a token; whether a token is still good is asked
// each time.

import { hash } from 'node:crypto'
import type { KeyMaterial } from '../keys/key-material.ts'
import type { AccessTokenClaims } from './access-token.ts'

/** Of the newest tokens; about 1 KiB each. */
const REMEMBERED_MAX = 10_000

/** What is true of a string forever: who signed it, and what it says. */
export interface VerifiedToken {
  readonly kid: string
  readonly material: KeyMaterial
  readonly claims: AccessTokenClaims
}

export interface VerifiedTokens {
  find(token: string): VerifiedToken | undefined
  /** Only for a token whose signature is right. */
  remember(token: string, verified: VerifiedToken): void
  forget(token: string): void
}

export function openVerifiedTokens(max = REMEMBERED_MAX): VerifiedTokens {
  const verified = new Map<string, VerifiedToken>()
  return {
    find: (token) => verified.get(nameOf(token)),
    remember(token, entry) {
      const [oldest] = verified.keys()
      if (verified.size >= max && oldest !== undefined) verified.delete(oldest)
      verified.set(nameOf(token), entry)
    },
    forget(token) {
      verified.delete(nameOf(token))
    },
  }
}

function nameOf(token: string): string {
  return hash('sha256', token, 'base64url')
}
