// Fresh keys of any algorithm that jose can make. A key as it was made shares a lock with the job that made
// it, and where the garbage collector clears the job while the key is exported as a JWK, Node.js waits for
// itself for ever (seen with version 20). So they are encoded first, and opened anew.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { exportPKCS8, generateKeyPair } from 'jose'

export interface FreshKeys {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** Rejects when jose cannot make one for the algorithm. */
export async function makeFreshKeys(alg: string): Promise<FreshKeys> {
  const made = await generateKeyPair(alg, { extractable: true })
  const privateKey = createPrivateKey(await exportPKCS8(made.privateKey))
  return { privateKey, publicKey: createPublicKey(privateKey) }
}
