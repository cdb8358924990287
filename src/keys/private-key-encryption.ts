// The private part of a signing key as the database holds it: sealed under a key of the root
// secret, bound to its `kid`.

import type { RootSecret, RootSecrets } from '../secrets/root-secret.ts'
import { sealValue, unsealValue } from '../secrets/sealed-value.ts'
import { UnreadableKey } from './unreadable-key.ts'

export interface EncryptedPrivateKey {
  readonly privateKeyEncrypted: Uint8Array<ArrayBuffer>
  readonly rootSecretId: number
}

export function encryptPrivateKey(
  pkcs8: Buffer,
  kid: string,
  { id, keyEncryptionKey }: RootSecret,
): EncryptedPrivateKey {
  return { privateKeyEncrypted: sealValue(pkcs8, keyEncryptionKey, kid), rootSecretId: id }
}

/** Throws UnreadableKey. */
export function decryptPrivateKey(
  { privateKeyEncrypted, rootSecretId }: EncryptedPrivateKey,
  kid: string,
  rootSecrets: RootSecrets,
): Buffer {
  const secret = rootSecrets.byId(rootSecretId)
  const pkcs8 = secret && unsealValue(privateKeyEncrypted, secret.keyEncryptionKey, kid)
  if (!pkcs8) throw new UnreadableKey(kid, 'no secret of LINEAGE_SECRET_KEY decrypts it')
  return pkcs8
}
