// Signatures of webhooks (Standard Webhooks 1.0) and the secrets behind them.

import { test } from 'tap'
import {
  addWebhookSecret,
  sealSecrets,
  signWebhook,
  unsealSecrets,
} from '../../src/webhooks/webhook-secret.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

const ID = 'c0ffee00-0000-4000-8000-000000000000'
const NOW_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 60 * 60 * 1000

test('signs as the reference libraries of Standard Webhooks do', async (t) => {
  // Their own test vector.
  const secrets = [{ secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }]
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' }
  t.strictSame(signWebhook(message, secrets, 1_614_265_330_999), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('a secret has 256 random bits, and a new one signs beside the old one for a day', async (t) => {
  const first = addWebhookSecret([], NOW_MS)
  t.match(first[0].secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const both = addWebhookSecret(first, NOW_MS)
  t.not(both[0].secret, first[0].secret)
  t.equal(both[1]?.secret, first[0].secret)
  t.equal(addWebhookSecret(both, NOW_MS).length, 2, 'never three')
  const signaturesAt = (ms: number) =>
    signWebhook({ id: ID, body: '{}' }, both, ms)['webhook-signature']?.split(' ')
  t.equal(signaturesAt(NOW_MS + 23 * HOUR_MS)?.length, 2)
  t.equal(signaturesAt(NOW_MS + 24 * HOUR_MS)?.length, 1)
})

test('sealed secrets are read with the root secret, for their own webhook alone', async (t) => {
  const secrets = addWebhookSecret([], NOW_MS)
  const sealed = sealSecrets(secrets, ID, rootSecretsOf(1))
  t.notOk(Buffer.from(sealed.secretsEncrypted).includes('whsec_'))
  t.strictSame(unsealSecrets(sealed, ID, rootSecretsOf(1)), secrets)
  t.strictSame(unsealSecrets(sealed, ID, rootSecretsOf(2, 1)), secrets)
  t.equal(unsealSecrets(sealed, `${ID}0`, rootSecretsOf(1)), undefined)
  t.equal(unsealSecrets(sealed, ID, rootSecretsOf(2)), undefined)
})
