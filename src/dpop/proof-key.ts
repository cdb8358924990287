// The key inside a proof (RFC 9449 §4.2): which kinds are taken, and what they verify. The proof brings its
// own key, so nothing here says whose it is; its thumbprint (RFC 7638) is what tokens are bound to.

import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { DpopFault } from '../oauth/dpop-errors.ts'
import {
  isFairSize,
  isJwsAlg,
  isSignedBy,
  JWS_ALGORITHMS,
  type JwsAlg,
} from '../runtime/jws-algorithms.ts'

interface KeyShape {
  readonly kty: string
  readonly crv?: string
  /** The members that make up the key, in the order of RFC 7638 §3.2. */
  readonly members: readonly string[]
}

const OKP: KeyShape = { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'kty', 'x'] }
const RSA: KeyShape = { kty: 'RSA', members: ['e', 'kty', 'n'] }

/** What the key of a proof looks like that is signed with it. */
const SHAPES: Readonly<Record<JwsAlg, KeyShape>> = {
  ES256: { kty: 'EC', crv: 'P-256', members: ['crv', 'kty', 'x', 'y'] },
  EdDSA: OKP,
  Ed25519: OKP,
  RS256: RSA,
  PS256: RSA,
}

/** Of private and of shared keys (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

export interface ProofKey {
  readonly thumbprint: string
  verify(data: Buffer, signature: Buffer): boolean
}

/** The key of a proof's header, or why it is not one for the algorithm. Never throws. */
export function readProofKey(alg: unknown, jwk: unknown): ProofKey | DpopFault {
  if (!isJwsAlg(alg)) return 'dpop_alg_not_allowed'
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'dpop_key_malformed'
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) return 'dpop_key_private'
  const given = new Map<string, unknown>(Object.entries(jwk))
  const { kty, crv, members: names } = SHAPES[alg]
  if (given.get('kty') !== kty || given.get('crv') !== crv) return 'dpop_key_unfit'
  const members = names.map((name) => [name, given.get(name)] as const)
  if (!members.every(([name, value]) => isMember(name, value))) return 'dpop_key_malformed'
  const exact = Object.fromEntries(members) as Record<string, string>
  const key = importKey(exact)
  if (!key) return 'dpop_key_malformed'
  const isFit = key.asymmetricKeyType === JWS_ALGORITHMS[alg].keyType && isFairSize(key)
  if (!isFit) return 'dpop_key_unfit'
  return {
    thumbprint: hash('sha256', JSON.stringify(exact), 'base64url'),
    verify: (data, signature) => isSignedBy(key, alg, data, signature),
  }
}

/** Numbers in their one spelling, so that a key has one thumbprint. */
function isMember(name: string, value: unknown): boolean {
  if (typeof value !== 'string' || value === '') return false
  if (name === 'kty' || name === 'crv') return true
  return Buffer.from(value, 'base64url').toString('base64url') === value
}

function importKey(jwk: Record<string, string>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}
