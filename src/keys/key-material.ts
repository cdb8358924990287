// One key pair, ready for use: made or opened once, then signing and verifying synchronously on
// the caller's thread, because the thread pool is busy with password hashes (docs/semantics.md §7).

import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { SIGNING_ALGORITHMS, type SigningAlg } from './signing-algorithms.ts'
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

/** A fresh key pair whose `kid` is its RFC 7638 thumbprint. Made in the thread pool. */
export async function generateKey(alg: SigningAlg): Promise<GeneratedKey> {
  const { privateKey, publicKey } = await SIGNING_ALGORITHMS[alg].generate()
  return {
    kid: await calculateJwkThumbprint(publicKey.export({ format: 'jwk' })),
    alg,
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' }),
  }
}

/** Throws SigningKeyUnreadable when `pkcs8` is not a key for `alg`. */
export function openKeyMaterial({ kid, alg, pkcs8 }: GeneratedKey): KeyMaterial {
  const { keyType, digest, options } = SIGNING_ALGORITHMS[alg]
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
