// Fresh key pairs. The job that makes one encodes it, and the keys are opened anew: a key that Node.js hands
// out as it made it shares a lock with that job. Where the garbage collector clears the job while the key
// is exported as a JWK, which holds the lock, the process waits for itself for ever (seen with Node.js 20).

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  type RSAKeyPairOptions,
} from 'node:crypto'
import { promisify } from 'node:util'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export type KeyPairType = 'ec' | 'rsa' | 'ed25519' | 'ed448' | 'x25519'

/** As Node.js names them; each counts for its own type. */
export interface KeyPairOptions {
  readonly namedCurve?: string
  readonly modulusLength?: number
  readonly publicExponent?: number
}

type Encoded = RSAKeyPairOptions<'der', 'der'>

/** On the thread of the caller: 2048 bits of RSA take a tenth of a second and more. */
export function makeKeyPairSync(type: KeyPairType, options: KeyPairOptions = {}): KeyPair {
  // Each overload of Node.js takes one type; they differ in nothing else that matters here.
  const made = generateKeyPairSync(type as 'rsa', encoded(options))
  return open(made.privateKey, made.publicKey)
}

/** In the thread pool. */
export async function makeKeyPair(
  type: KeyPairType,
  options: KeyPairOptions = {},
): Promise<KeyPair> {
  const made = await promisify(generateKeyPair)(type as 'rsa', encoded(options))
  return open(made.privateKey, made.publicKey)
}

function encoded(options: KeyPairOptions): Encoded {
  return {
    ...(options as { modulusLength: number }),
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }
}

function open(pkcs8: Buffer, spki: Buffer): KeyPair {
  return {
    privateKey: createPrivateKey({ key: pkcs8, type: 'pkcs8', format: 'der' }),
    publicKey: createPublicKey({ key: spki, type: 'spki', format: 'der' }),
  }
}
