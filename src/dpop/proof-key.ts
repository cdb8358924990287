// The key inside a proof (RFC 9449 §4.2): which kinds are taken, and what they verify. The proof brings its
// own key, so nothing here says whose it is; its thumbprint (RFC 7638) is what tokens are bound to.

import { constants, createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import type { DpopFault } from '../oauth/dpop-errors.ts'

/** Beyond it a signature would cost the caller nothing and us a lot. */
const RSA_BITS_MAX = 4096
/** RFC 7518 §3.3 */
const RSA_BITS_MIN = 2048
const RSA_EXPONENT = 65_537n

interface ProofAlgorithm {
  /** As Node names the type of its keys. */
  readonly keyType: string
  readonly kty: string
  readonly crv?: string
  /** The members that make up the key, in the order of RFC 7638 §3.2. */
  readonly members: readonly string[]
  readonly digest: 'sha256' | null
  readonly options: object
}

const ED25519: ProofAlgorithm = {
  keyType: 'ed25519',
  kty: 'OKP',
  crv: 'Ed25519',
  members: ['crv', 'kty', 'x'],
  digest: null,
  options: {},
}
const RSA = { keyType: 'rsa', kty: 'RSA', members: ['e', 'kty', 'n'], digest: 'sha256' } as const

/** By the name in the header: asymmetric ones only. */
const ALGORITHMS: Readonly<Record<string, ProofAlgorithm>> = {
  ES256: {
    keyType: 'ec',
    kty: 'EC',
    crv: 'P-256',
    members: ['crv', 'kty', 'x', 'y'],
    digest: 'sha256',
    options: { dsaEncoding: 'ieee-p1363' },
  },
  EdDSA: ED25519,
  // RFC 9864 §2.2
  Ed25519: ED25519,
  RS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
}

export const DPOP_ALGS: readonly string[] = Object.keys(ALGORITHMS)

/** Of private and of shared keys (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

export interface ProofKey {
  readonly thumbprint: string
  verify(data: Buffer, signature: Buffer): boolean
}

/** The key of a proof's header, or why it is not one for the algorithm. Never throws. */
export function readProofKey(alg: unknown, jwk: unknown): ProofKey | DpopFault {
  const algorithm =
    typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg) ? ALGORITHMS[alg] : undefined
  if (!algorithm) return 'dpop_alg_not_allowed'
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'dpop_key_malformed'
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) return 'dpop_key_private'
  const given = new Map<string, unknown>(Object.entries(jwk))
  if (given.get('kty') !== algorithm.kty) return 'dpop_key_unfit'
  if (given.get('crv') !== algorithm.crv) return 'dpop_key_unfit'
  const members = algorithm.members.map((name) => [name, given.get(name)] as const)
  if (!members.every(([name, value]) => isMember(name, value))) return 'dpop_key_malformed'
  const exact = Object.fromEntries(members) as Record<string, string>
  const key = importKey(exact)
  if (!key) return 'dpop_key_malformed'
  if (!isFit(key, algorithm)) return 'dpop_key_unfit'
  const verifier = { key, ...algorithm.options }
  return {
    thumbprint: hash('sha256', JSON.stringify(exact), 'base64url'),
    verify: (data, signature) => isSignedBy(algorithm.digest, data, verifier, signature),
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

function isFit(
  { asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject,
  { keyType }: ProofAlgorithm,
): boolean {
  if (asymmetricKeyType !== keyType) return false
  if (keyType !== 'rsa') return true
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = asymmetricKeyDetails
  return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && exponent === RSA_EXPONENT
}

function isSignedBy(
  digest: 'sha256' | null,
  data: Buffer,
  verifier: { readonly key: KeyObject },
  signature: Buffer,
): boolean {
  try {
    return verify(digest, data, verifier, signature)
  } catch {
    // OpenSSL fails on some signatures instead of saying no.
    return false
  }
}
