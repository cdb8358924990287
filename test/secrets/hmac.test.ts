import { createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { hmacSha256 } from '../../src/secrets/hmac.ts'

t.test('is HMAC-SHA-256 (RFC 2104), as OpenSSL computes it', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 }),
      (keyBytes, texts) => {
        const key = Buffer.from(keyBytes)
        for (const text of texts) {
          const expected = createHmac('sha256', key).update(text).digest()
          if (!hmacSha256(key, Buffer.from(text)).equals(expected)) return false
        }
        return true
      },
    ),
  )
  t.pass('for keys and texts of many lengths')
})

t.test('keeps the results of one key apart', async (t) => {
  const key = randomBytes(32)
  const first = hmacSha256(key, Buffer.from('first'))
  const copy = Buffer.from(first)
  hmacSha256(key, Buffer.from('second'))
  t.strictSame(first, copy)
})

t.test('refuses a key that is longer than a block', async (t) => {
  t.throws(() => hmacSha256(randomBytes(65), Buffer.alloc(1)), RangeError)
})
