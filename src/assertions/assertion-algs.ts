// The algorithms that an assertion may be signed with: never `none`, never a shared secret. RFC 9864 calls
// by the name Ed25519 what RFC 8037 calls EdDSA with such a key.

import { constants, type KeyObject, type SigningOptions, verify } from 'node:crypto'

interface AssertionAlgorithm {
  /** As Node names the type of its keys. */
  readonly keyType: string
  readonly digest: 'sha256' | null
  readonly options: SigningOptions
}

const ED25519: AssertionAlgorithm = { keyType: 'ed25519', digest: null, options: {} }
const RSA = { keyType: 'rsa', digest: 'sha256' } as const

const ALGORITHMS = {
  ES256: { keyType: 'ec', digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
  EdDSA: ED25519,
  Ed25519: ED25519,
  RS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
} as const satisfies Record<string, AssertionAlgorithm>

export type AssertionAlg = keyof typeof ALGORITHMS

/** Their names as metadata lists them, and as a client may. */
export const ASSERTION_ALGS = Object.keys(ALGORITHMS) as readonly AssertionAlg[]

export function isAssertionAlg(name: unknown): name is AssertionAlg {
  return typeof name === 'string' && Object.hasOwn(ALGORITHMS, name)
}

/** Whether both names mean one algorithm. */
export function isSameAlg(one: string, other: string): boolean {
  const plain = (name: string) => (name === 'Ed25519' ? 'EdDSA' : name)
  return plain(one) === plain(other)
}

/** What a key of this type can sign with. */
export function algsOf(keyType: string | undefined): readonly AssertionAlg[] {
  return ASSERTION_ALGS.filter((alg) => ALGORITHMS[alg].keyType === keyType)
}

/** The key has to fit the algorithm. On the caller's thread: a fraction of a millisecond. */
export function isSignedBy(
  key: KeyObject,
  alg: AssertionAlg,
  signed: Buffer,
  signature: Buffer,
): boolean {
  const { digest, options } = ALGORITHMS[alg]
  return verify(digest, signed, { key, ...options }, signature)
}
