// Client secrets, known here only by their SHA-256: server-made, 256 bits, or given by whoever applies a
// file. A slow hash would add nothing, because nobody guesses 256 random bits (RFC 6749 §10.10).

import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The most secrets a client has at a time: the old one and its successor. */
export const CLIENT_SECRETS_MAX = 2

/** What a secret that somebody else has made must look like: nobody can see how random it is. */
export const GIVEN_SECRET = {
  pattern: /^[\x20-\x7e]{32,1024}$/,
  rule: '32 to 1024 printable ASCII characters',
} as const

/** Stands in where there is no hash, so that all comparisons cost the same. Nothing matches it. */
const NO_HASH = randomBytes(32)

export interface AddedSecret {
  readonly id: string
  /** Shown this once. */
  readonly clientSecret: string
  readonly createdAt: Date
}

/** `lcs_` and 43 characters that form encoding leaves as they are. Shown once, never stored. */
export function newClientSecret(): string {
  return `lcs_${randomBytes(32).toString('base64url')}`
}

/** SHA-256, the only form in which a secret is kept. */
export function hashClientSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/**
 * Whether the secret is one of at most two. The work is the same for a client with two secrets,
 * with one, with none, and for a client that does not exist.
 */
export function matchesClientSecret(presented: string, hashes: readonly Buffer[]): boolean {
  const presentedHash = hashClientSecret(presented)
  const [first = NO_HASH, second = NO_HASH] = hashes
  const matchesFirst = timingSafeEqual(presentedHash, first)
  const matchesSecond = timingSafeEqual(presentedHash, second)
  return matchesFirst || matchesSecond
}
