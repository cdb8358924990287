// Tokens whose signature was verified a moment ago, by their hashes, so that many requests with one token
// cost one verification. Bounded: the one that was used longest ago makes room.

import { createHash } from 'node:crypto'
import type { AccessTokenClaims } from './access-token-claims.ts'
import type { IssuerKey } from './issuer-keys.ts'

export interface VerifiedToken {
  readonly claims: AccessTokenClaims
  readonly key: IssuerKey
}

export interface VerifiedTokens {
  /** Undefined when it is not known; whether it still holds is for the caller to ask. */
  get(token: string): VerifiedToken | undefined
  keep(token: string, verified: VerifiedToken): void
  drop(token: string): void
}

/** `max` 0 keeps none. */
export function createVerifiedTokens(max: number): VerifiedTokens {
  const held = new Map<string, VerifiedToken>()
  return {
    get(token) {
      if (held.size === 0) return undefined
      const hash = hashOf(token)
      const found = held.get(hash)
      if (found) {
        held.delete(hash)
        held.set(hash, found)
      }
      return found
    },

    keep(token, verified) {
      if (max === 0) return
      held.set(hashOf(token), verified)
      const [oldest] = held.keys()
      if (held.size > max && oldest !== undefined) held.delete(oldest)
    },

    drop: (token) => void held.delete(hashOf(token)),
  }
}

/** No token is kept in memory for longer than its request. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
