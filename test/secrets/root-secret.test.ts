// The root secret: which keys come out of it, and which lists of secrets are accepted
// (docs/semantics.md §2).

import { createHmac } from 'node:crypto'
import { test } from 'tap'
import {
  deriveRootSecret,
  openRootSecrets,
  type RootSecret,
} from '../../src/secrets/root-secret.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

const secret = Buffer.alloc(32, 7)

/** HKDF by the letter of RFC 5869 §2, for one block of output. */
function hkdf(input: Buffer, info: string, length: number): Buffer {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(input).digest()
  const block = createHmac('sha256', extracted)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
  return block.subarray(0, length)
}

function keysOf(root: RootSecret): string[] {
  const { id: _, ...keys } = root
  return Object.values(keys).map((key) => key.toString('hex'))
}

test('the keys are those that stored tokens and keys were made with', async (t) => {
  // A change of any of these words would make every token and stored key of a release unreadable.
  const root = deriveRootSecret(secret)
  t.equal(root.id, hkdf(secret, 'lineage/v1/root-secret/id', 1).readUInt8(0))
  t.strictSame(root.refreshTokenKey, hkdf(secret, 'lineage/v1/refresh-token/mac', 32))
  t.strictSame(root.keyEncryptionKey, hkdf(secret, 'lineage/v1/signing-key/encryption', 32))
  t.strictSame(root.tokenIdKey, hkdf(secret, 'lineage/v1/access-token/jti', 32))
  t.strictSame(root.webhookSecretKey, hkdf(secret, 'lineage/v1/webhook-secret/encryption', 32))
  t.strictSame(root.confirmationTokenKey, hkdf(secret, 'lineage/v1/confirmation-token/mac', 32))
  t.strictSame(root.factorSecretKey, hkdf(secret, 'lineage/v1/factor-secret/encryption', 32))
  t.strictSame(root.mfaTokenKey, hkdf(secret, 'lineage/v1/mfa-token/mac', 32))
  t.strictSame(root.dpopNonceKey, hkdf(secret, 'lineage/v1/dpop-nonce/mac', 32))
})

test('each use has a key of its own, and each secret other keys', async (t) => {
  const one = deriveRootSecret(secret)
  t.strictSame(keysOf(deriveRootSecret(Buffer.from(secret))), keysOf(one))
  const others = [Buffer.alloc(32, 8), Buffer.alloc(33, 7), Buffer.concat([secret, secret])]
  const keys = [one, ...others.map(deriveRootSecret)].flatMap(keysOf)
  t.equal(new Set(keys).size, keys.length)
  t.ok(keys.every((key) => key.length === 64))
  t.ok(keys.every((key) => key !== secret.toString('hex')))
})

test('the first secret is the current one, all are found by their id', async (t) => {
  const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const secrets = openRootSecrets([first, second])
  t.strictSame(secrets.current, deriveRootSecret(first))
  t.strictSame(secrets.all, [first, second].map(deriveRootSecret))
  for (const root of secrets.all) t.equal(secrets.byId(root.id), root)
  const ids = new Set(secrets.all.map((root) => root.id))
  for (let id = 0; id < 256; id += 1) {
    if (!ids.has(id)) t.equal(secrets.byId(id), undefined)
  }
})

test('no secret at all stops', async (t) => {
  t.throws(() => openRootSecrets([]), RangeError)
})

test('two secrets with the same one-byte id stop, and the error tells neither', async (t) => {
  const current = deriveRootSecret(secret)
  let namesake = Buffer.alloc(32)
  for (let n = 0; deriveRootSecret(namesake).id !== current.id; n += 1) {
    namesake = Buffer.alloc(32)
    namesake.writeUInt32BE(n)
  }
  t.notSame(namesake, secret)
  const lists = [
    [secret, namesake],
    [secret, secret],
    [Buffer.alloc(32, 1), secret, namesake],
  ]
  for (const list of lists) {
    t.throws(
      () => openRootSecrets(list),
      new RangeError('two root secrets have the same one-byte id'),
    )
  }
})

test('the secrets of the tests have ids of their own', async (t) => {
  t.equal(rootSecretsOf(1, 2, 3, 4, 5, 6, 7, 8, 9).all.length, 9)
})
