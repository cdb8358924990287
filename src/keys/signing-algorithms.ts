// The algorithms that a signing key of ours can have, and how each makes its keys and signs.
// Metadata, the configuration and the documents have no other list.

import {
  constants,
  generateKeyPair as generateKeyPairCallback,
  type KeyObject,
  type SigningOptions,
} from 'node:crypto'
import { promisify } from 'node:util'

export interface SigningAlgorithm {
  /** As Node names the type of its keys. */
  readonly keyType: string
  readonly digest: 'sha256' | null
  readonly options: SigningOptions
  /** In the thread pool. */
  readonly generate: () => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>
}

const generateKeyPair = promisify(generateKeyPairCallback)

// 3072 bits would hold the event loop for 1.7 ms a signature, five times as long as 2048.
const RSA = {
  keyType: 'rsa',
  digest: 'sha256',
  generate: () => generateKeyPair('rsa', { modulusLength: 2048 }),
} as const

// Two names for one kind of key. Each has keys of its own, because strict readers compare the name in
// the header with that in the JWK.
const ED25519 = {
  keyType: 'ed25519',
  digest: null,
  options: {},
  generate: () => generateKeyPair('ed25519'),
} as const

/** By its JWA name (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export const SIGNING_ALGORITHMS = {
  ES256: {
    keyType: 'ec',
    digest: 'sha256',
    options: { dsaEncoding: 'ieee-p1363' },
    generate: () => generateKeyPair('ec', { namedCurve: 'P-256' }),
  },
  EdDSA: ED25519,
  RS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  Ed25519: ED25519,
} as const satisfies Record<string, SigningAlgorithm>

export type SigningAlg = keyof typeof SIGNING_ALGORITHMS

/** Those that keys are made for; the first signs where nobody asks for another. */
export type SigningAlgs = readonly [SigningAlg, ...SigningAlg[]]

/** What a key of ours may sign with, now or after a change of configuration. */
export const SIGNING_ALGS = Object.keys(SIGNING_ALGORITHMS) as readonly SigningAlg[]

export function isSigningAlg(value: string): value is SigningAlg {
  return Object.hasOwn(SIGNING_ALGORITHMS, value)
}
