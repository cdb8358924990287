// The signature algorithms of JOSE that this service knows, as Node takes them: those of its own keys, of
// assertions and of proofs alike. Never `none`, never a shared secret.

import { constants, type KeyObject, type SigningOptions, verify } from 'node:crypto'

interface JwsAlgorithm {
  /** As Node names the type of its keys. */
  readonly keyType: string
  readonly digest: 'sha256' | null
  readonly options: SigningOptions
}

const ED25519: JwsAlgorithm = { keyType: 'ed25519', digest: null, options: {} }
const RSA = { keyType: 'rsa', digest: 'sha256' } as const

/** By its JWA name (RFC 7518 §3.1). RFC 9864 §2.2 calls Ed25519 what RFC 8037 calls EdDSA with such a key. */
export const JWS_ALGORITHMS = {
  ES256: { keyType: 'ec', digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
  EdDSA: ED25519,
  Ed25519: ED25519,
  RS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
} as const satisfies Record<string, JwsAlgorithm>

export type JwsAlg = keyof typeof JWS_ALGORITHMS

export const JWS_ALGS = Object.keys(JWS_ALGORITHMS) as readonly JwsAlg[]

export function isJwsAlg(name: unknown): name is JwsAlg {
  return typeof name === 'string' && Object.hasOwn(JWS_ALGORITHMS, name)
}

/**
 * Whether somebody else's key, which fits the algorithm, has signed the data. On the caller's thread: a
 * fraction of a millisecond. Never throws: OpenSSL fails on some signatures instead of saying no.
 */
export function isSignedBy(key: KeyObject, alg: JwsAlg, data: Buffer, signature: Buffer): boolean {
  const { digest, options } = JWS_ALGORITHMS[alg]
  try {
    return verify(digest, data, { key, ...options }, signature)
  } catch {
    return false
  }
}

/**
 * Strangers have signatures verified by keys that they or a client have chosen: larger ones, and other
 * exponents, would make each take milliseconds; smaller ones are weak (RFC 7518 §3.3, FIPS 186-5 §5.1).
 */
export const RSA_BITS = { min: 2048, max: 4096 } as const
const RSA_EXPONENT = 65_537n

/** Whether a key of others is strong enough and not too slow. Only RSA comes in sizes. */
export function isFairSize({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean {
  if (asymmetricKeyType !== 'rsa') return true
  const { modulusLength: bits = 0, publicExponent } = asymmetricKeyDetails
  return bits >= RSA_BITS.min && bits <= RSA_BITS.max && publicExponent === RSA_EXPONENT
}
