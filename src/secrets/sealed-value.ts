// A secret as a database may hold it: AES-256-GCM, bound to the name of what it belongs to, so that
// no row's secret can be put into another row.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Nonce, ciphertext, tag. `key` has 32 bytes. */
export function sealValue(plain: Buffer, key: Buffer, owner: string): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(owner))
  const parts = [nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]
  return Uint8Array.from(Buffer.concat(parts))
}

/** Undefined for anything that this key has not sealed for this owner. */
export function unsealValue(value: Uint8Array, key: Buffer, owner: string): Buffer | undefined {
  const sealed = Buffer.from(value)
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(owner))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return undefined
  }
}
