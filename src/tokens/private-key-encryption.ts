// The private part of a signing key as the database holds it: AES-256-GCM under a key of the root
// secret, bound to its `kid` (DESIGN §8).

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { RootSecret, RootSecrets } from '../secrets/root-secret.ts'
import { SigningKeyUnreadable } from './signing-key-unreadable.ts'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

export interface EncryptedPrivateKey {
  /** Nonce, ciphertext, tag. */
  readonly privateKeyEncrypted: Uint8Array<ArrayBuffer>
  readonly rootSecretId: number
}

export function encryptPrivateKey(
  pkcs8: Buffer,
  kid: string,
  { id, keyEncryptionKey }: RootSecret,
): EncryptedPrivateKey {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, keyEncryptionKey, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(kid))
  const sealed = [nonce, cipher.update(pkcs8), cipher.final(), cipher.getAuthTag()]
  return { privateKeyEncrypted: Uint8Array.from(Buffer.concat(sealed)), rootSecretId: id }
}

/** Throws SigningKeyUnreadable. */
export function decryptPrivateKey(
  { privateKeyEncrypted, rootSecretId }: EncryptedPrivateKey,
  kid: string,
  rootSecrets: RootSecrets,
): Buffer {
  const secret = rootSecrets.byId(rootSecretId)
  const sealed = Buffer.from(privateKeyEncrypted)
  if (!secret || sealed.length < NONCE_BYTES + TAG_BYTES) throw unreadable(kid)
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, secret.keyEncryptionKey, nonce, {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(kid))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    throw unreadable(kid)
  }
}

function unreadable(kid: string): SigningKeyUnreadable {
  return new SigningKeyUnreadable(kid, 'no secret of LINEAGE_SECRET_KEY decrypts it')
}
