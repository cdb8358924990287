import { test } from 'tap'
import { decryptPrivateKey, encryptPrivateKey } from '../../src/keys/private-key-encryption.ts'
import { UnreadableKey } from '../../src/keys/unreadable-key.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

const pkcs8 = Buffer.from('the private part')
const secrets = rootSecretsOf(1)
const seal = (kid = 'kid-1') => encryptPrivateKey(pkcs8, kid, secrets.current)

test('what is encrypted under a root secret is read with it, and differs each time', async (t) => {
  t.strictSame(decryptPrivateKey(seal(), 'kid-1', secrets), pkcs8)
  t.strictSame(decryptPrivateKey(seal(), 'kid-1', rootSecretsOf(2, 1)), pkcs8)
  t.notSame(seal().privateKeyEncrypted, seal().privateKeyEncrypted)
})

test('a private part in the row of another kid is refused', async (t) => {
  t.throws(() => decryptPrivateKey(seal('kid-1'), 'kid-2', secrets), UnreadableKey)
})

test('another root secret does not read it, not even under the same id', async (t) => {
  const others = rootSecretsOf(2)
  t.throws(() => decryptPrivateKey(seal(), 'kid-1', others), UnreadableKey)
  const renamed = { ...seal(), rootSecretId: others.current.id }
  t.throws(() => decryptPrivateKey(renamed, 'kid-1', others), UnreadableKey)
})

test('every changed byte and every cut is refused', async (t) => {
  const sealed = seal()
  const { privateKeyEncrypted: bytes } = sealed
  for (const index of bytes.keys()) {
    const changed = Uint8Array.from(bytes, (byte, at) => (at === index ? byte ^ 1 : byte))
    const row = { ...sealed, privateKeyEncrypted: changed }
    t.throws(() => decryptPrivateKey(row, 'kid-1', secrets), UnreadableKey)
    const cut = { ...sealed, privateKeyEncrypted: bytes.slice(0, index) }
    t.throws(() => decryptPrivateKey(cut, 'kid-1', secrets), UnreadableKey)
  }
})
