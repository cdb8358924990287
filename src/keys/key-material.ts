// One key pair, ready for use: made or opened once, then signing and verifying synchronously on
// the caller's thread, because the thread pool is busy with password hashes (docs/semantics.md §7).

import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { SIGNING_ALGORITHMS, type SigningAlg } from './signing-algorithms.ts'
import { UnreadableKey } from './unreadable-key.ts'

export interface KeyMaterial {
  readonly alg: SigningAlg
  /** The entry in JWKS: public members, `use`, `alg` and `kid`. */
  readonly publicJwk: JWK
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

/** Throws UnreadableKey when `pkcs8` is not a key for `alg`. */
export function openKeyMaterial({ kid, alg, pkcs8 }: GeneratedKey): KeyMaterial {
  const { keyType, digest, options } = SIGNING_ALGORITHMS[alg]
  const privateKey = createPrivateKey({ key: pkcs8, type: 'pkcs8', format: 'der' })
  if (privateKey.asymmetricKeyType !== keyType) {
    throw new UnreadableKey(kid, `it is not a key for ${alg}`)
  }
  const publicKey = createPublicKey(privateKey)
  const signer = { key: privateKey, ...options }
  const verifier = { key: publicKey, ...options }
  return {
    alg,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), use: 'sig', alg, kid },
    sign: (data) => sign(digest, data, signer),
    verify: (data, signature) => verify(digest, data, verifier, signature),
  }
}
