// One key pair, ready for use: made or opened once, then signing and verifying synchronously on
// the caller's thread, because the thread pool is busy with password hashes (DESIGN §7).

import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generateKeyPairCallback,
  type KeyObject,
  type SigningOptions,
  sign,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SigningAlg } from '../config/service-config.ts'
import { SigningKeyUnreadable } from './signing-key-unreadable.ts'

export interface KeyMaterial {
  readonly alg: SigningAlg
  /** The entry in JWKS: public members, `use`, `alg` and `kid`. */
  readonly publicJwk: JWK
  /** The first part of every access token that the key signs. */
  readonly encodedHeader: string
  sign(data: Buffer): Buffer
  verify(data: Buffer, signature: Buffer): boolean
}

/** A key pair as it is made: `pkcs8` is the secret. */
export interface GeneratedKey {
  readonly kid: string
  readonly alg: SigningAlg
  readonly pkcs8: Buffer
}

interface Algorithm {
  readonly keyType: string
  readonly digest: 'sha256' | null
  readonly options: SigningOptions
  readonly generate: () => Promise<{ privateKey: KeyObject; publicKey: KeyObject }>
}

const generateKeyPair = promisify(generateKeyPairCallback)

// 3072 bits would hold the event loop for 1.7 ms a signature, five times as long as 2048.
const RSA = {
  keyType: 'rsa',
  digest: 'sha256',
  generate: () => generateKeyPair('rsa', { modulusLength: 2048 }),
} as const

const ALGORITHMS: Record<SigningAlg, Algorithm> = {
  ES256: {
    keyType: 'ec',
    digest: 'sha256',
    options: { dsaEncoding: 'ieee-p1363' },
    generate: () => generateKeyPair('ec', { namedCurve: 'P-256' }),
  },
  EdDSA: {
    keyType: 'ed25519',
    digest: null,
    options: {},
    generate: () => generateKeyPair('ed25519'),
  },
  RS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
}

/** What a key of ours may sign with, now or after a change of configuration. */
export const SIGNING_ALGS = Object.keys(ALGORITHMS) as readonly SigningAlg[]

export function isSigningAlg(value: unknown): value is SigningAlg {
  return typeof value === 'string' && Object.hasOwn(ALGORITHMS, value)
}

/** A fresh key pair whose `kid` is its RFC 7638 thumbprint. Made in the thread pool. */
export async function generateKey(alg: SigningAlg): Promise<GeneratedKey> {
  const { privateKey, publicKey } = await ALGORITHMS[alg].generate()
  return {
    kid: await calculateJwkThumbprint(publicKey.export({ format: 'jwk' })),
    alg,
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' }),
  }
}

/** Throws SigningKeyUnreadable when `pkcs8` is not a key for `alg`. */
export function openKeyMaterial({ kid, alg, pkcs8 }: GeneratedKey): KeyMaterial {
  const { keyType, digest, options } = ALGORITHMS[alg]
  const privateKey = createPrivateKey({ key: pkcs8, type: 'pkcs8', format: 'der' })
  if (privateKey.asymmetricKeyType !== keyType) {
    throw new SigningKeyUnreadable(kid, `it is not a key for ${alg}`)
  }
  const publicKey = createPublicKey(privateKey)
  const signer = { key: privateKey, ...options }
  const verifier = { key: publicKey, ...options }
  return {
    alg,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), use: 'sig', alg, kid },
    // RFC 9068 §2.1: the type tells an access token from every other JWT.
    encodedHeader: Buffer.from(JSON.stringify({ alg, kid, typ: 'at+jwt' })).toString('base64url'),
    sign: (data) => sign(digest, data, signer),
    verify: (data, signature) => verify(digest, data, verifier, signature),
  }
}
