// The algorithms that a signing key of ours can have, and how each makes its keys and signs.
// Metadata, the configuration and the documents have no other list.

import { JWS_ALGORITHMS } from '../runtime/jws-algorithms.ts'
import { makeKeyPair } from '../runtime/key-pair.ts'

// 3072 bits would hold the event loop for 1.7 ms a signature, five times as long as 2048.
const generateRsa = () => makeKeyPair('rsa', { modulusLength: 2048 })
const generateEd25519 = () => makeKeyPair('ed25519')

/**
 * `generate` works in the thread pool. EdDSA and Ed25519 are two names for one kind of key; each has keys of
 * its own, because strict readers compare the name in the header with that in the JWK.
 */
export const SIGNING_ALGORITHMS = {
  ES256: {
    ...JWS_ALGORITHMS.ES256,
    generate: () => makeKeyPair('ec', { namedCurve: 'P-256' }),
  },
  EdDSA: { ...JWS_ALGORITHMS.EdDSA, generate: generateEd25519 },
  RS256: { ...JWS_ALGORITHMS.RS256, generate: generateRsa },
  PS256: { ...JWS_ALGORITHMS.PS256, generate: generateRsa },
  Ed25519: { ...JWS_ALGORITHMS.Ed25519, generate: generateEd25519 },
} as const

export type SigningAlg = keyof typeof SIGNING_ALGORITHMS

/** Those that keys are made for; the first signs where nobody asks for another. */
export type SigningAlgs = readonly [SigningAlg, ...SigningAlg[]]

/** What a key of ours may sign with, now or after a change of configuration. */
export const SIGNING_ALGS = Object.keys(SIGNING_ALGORITHMS) as readonly SigningAlg[]

export function isSigningAlg(value: string): value is SigningAlg {
  return Object.hasOwn(SIGNING_ALGORITHMS, value)
}
