// The refresh token as a string (docs/semantics.md §2): one spelling, bound to its root secret, and
// refused for every single character that is not as it was minted (C54, C57).

import { createHash, createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import type { FamilyId } from '../../src/families/family.ts'
import {
  authenticateRefreshToken,
  hashFamilySecret,
  isSameSecretHash,
  mintRefreshToken,
  newFamilySecret,
  type RefreshToken,
} from '../../src/families/refresh-token-string.ts'
import { deriveRootSecret, openRootSecrets } from '../../src/secrets/root-secret.ts'
import type { UserId } from '../../src/users/user.ts'

const GENERATION_MAX = 0xffff_fffe
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const first = Buffer.alloc(32, 1)
const second = Buffer.alloc(32, 2)
const secrets = openRootSecrets([first])
const token: RefreshToken = {
  userId: '00112233-4455-4677-8899-aabbccddeeff' as UserId,
  familyId: 'ffeeddcc-bbaa-4988-b766-554433221100' as FamilyId,
  familySecret: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  generation: 0x01020304,
}

/**
 * The token by the letter of docs/semantics.md §2, for bytes that the service itself
 * would never mint.
 */
function forge(parts: { version?: number; id?: number; generation?: string } = {}): string {
  const { version = 1, id = secrets.current.id, generation = '01020304' } = parts
  const signed = Buffer.from(
    [
      Buffer.from([version, id]).toString('hex'),
      '00112233445546778899aabbccddeeff',
      'ffeeddccbbaa4988b766554433221100',
      '000102030405060708090a0b0c0d0e0f',
      generation,
    ].join(''),
    'hex',
  )
  const mac = createHmac('sha256', secrets.current.refreshTokenKey).update(signed).digest()
  return `lrt_${Buffer.concat([signed, mac.subarray(0, 16)]).toString('base64url')}`
}

test('a token is laid out byte by byte as documented', async (t) => {
  t.equal(mintRefreshToken(token, secrets), forge())
})

const uuid = fc.uuid().map((id) => id.toLowerCase())
const anyToken = fc.record(
  {
    userId: uuid.map((id) => id as UserId),
    familyId: uuid.map((id) => id as FamilyId),
    familySecret: fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from(bytes)),
    generation: fc.oneof(fc.nat(), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, GENERATION_MAX)),
  },
  { noNullPrototype: true },
)

test('any token has 98 characters, always the same ones, and comes back whole', async (t) => {
  fc.assert(
    fc.property(anyToken, (one) => {
      const text = mintRefreshToken(one, secrets)
      t.match(text, /^lrt_[A-Za-z0-9_-]{94}$/)
      t.equal(mintRefreshToken({ ...one }, secrets), text)
      t.strictSame(authenticateRefreshToken(text, secrets), { ...one, rootSecret: secrets.current })
    }),
    { numRuns: 100 },
  )
})

test('every change of one character is refused, spare bits of the last one included', async (t) => {
  const text = mintRefreshToken(token, secrets)
  t.ok(authenticateRefreshToken(text, secrets))
  const accepted: string[] = []
  for (let at = 0; at < text.length; at += 1) {
    for (const character of `${ALPHABET}+/=. \n\u0000ł`) {
      if (character === text[at]) continue
      const changed = text.slice(0, at) + character + text.slice(at + 1)
      if (authenticateRefreshToken(changed, secrets)) accepted.push(changed)
    }
  }
  t.strictSame(accepted, [])
})

test('every flipped bit of the bytes is refused', async (t) => {
  const bytes = Buffer.from(mintRefreshToken(token, secrets).slice(4), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    const text = `lrt_${flipped.toString('base64url')}`
    t.equal(authenticateRefreshToken(text, secrets), undefined, `bit ${bit}`)
  }
})

test('a hash is the same as a whole and in no other length', async (t) => {
  const stored = hashFamilySecret(token.familySecret)
  t.ok(isSameSecretHash(stored, hashFamilySecret(Buffer.from(token.familySecret))))
  const others = [hashFamilySecret(newFamilySecret()), `${stored}A`, stored.slice(0, -1), '']
  for (const other of others) t.notOk(isSameSecretHash(stored, other), other)
})

test('a token has one spelling', async (t) => {
  // These bytes have both characters in which base64 and base64url differ.
  const familySecret = Buffer.alloc(16, 0xfb)
  const text = mintRefreshToken({ ...token, familySecret }, secrets)
  t.match(text, /-/)
  const body = text.slice(4)
  const spellings = [
    `lrt_${body.replaceAll('-', '+').replaceAll('_', '/')}`,
    `${text}=`,
    `${text}==`,
    `${text} `,
    ` ${text}`,
    `${text}\n`,
    `${text}A`,
    text.slice(0, -1),
    `${text.slice(0, -1)}=`,
    body,
    `LRT_${body}`,
    `lrt-${body}`,
    `lrt_lrt_${body}`,
    `lrt_${body.replaceAll('-', '%2D')}`,
    text.toLowerCase(),
    text.toUpperCase(),
    '',
    'lrt_',
    'lrt_'.padEnd(98, 'A'),
    'x'.repeat(98),
  ]
  for (const spelling of spellings) {
    t.equal(authenticateRefreshToken(spelling, secrets), undefined, JSON.stringify(spelling))
  }
})

test('no string at all makes it throw', async (t) => {
  const anyBody = fc.string({ unit: 'binary', minLength: 94, maxLength: 94 })
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), anyBody), (text) => {
      t.equal(authenticateRefreshToken(`lrt_${text}`, secrets), undefined)
      t.equal(authenticateRefreshToken(text, secrets), undefined)
    }),
    { numRuns: 200 },
  )
})

test('another version is refused although its MAC is good', async (t) => {
  for (const version of [0, 2, 255]) {
    t.equal(authenticateRefreshToken(forge({ version }), secrets), undefined)
  }
})

test('a token of another root secret is refused, whatever its id', async (t) => {
  const text = mintRefreshToken(token, secrets)
  t.not(deriveRootSecret(second).id, secrets.current.id)
  t.equal(authenticateRefreshToken(text, openRootSecrets([second])), undefined)
  let namesake = randomBytes(32)
  while (deriveRootSecret(namesake).id !== secrets.current.id) namesake = randomBytes(32)
  t.equal(authenticateRefreshToken(text, openRootSecrets([namesake])), undefined)
})

test('the first root secret mints, every listed one verifies', async (t) => {
  const both = openRootSecrets([second, first])
  const old = mintRefreshToken(token, secrets)
  const found = authenticateRefreshToken(old, both)
  t.strictSame(found, { ...token, rootSecret: both.all[1] }, 'and is known by its own secret')
  const fresh = mintRefreshToken(token, both)
  t.not(fresh, old)
  t.match(authenticateRefreshToken(fresh, openRootSecrets([second])), token)
  t.equal(authenticateRefreshToken(fresh, secrets), undefined)
})

test('an id that names another listed secret does not help', async (t) => {
  const both = openRootSecrets([first, second])
  const text = forge({ id: deriveRootSecret(second).id })
  t.equal(authenticateRefreshToken(text, both), undefined)
})

test('generations reach from 0 to the last one that has a successor', async (t) => {
  for (const generation of [0, 1, GENERATION_MAX]) {
    const text = mintRefreshToken({ ...token, generation }, secrets)
    t.equal(authenticateRefreshToken(text, secrets)?.generation, generation)
  }
  t.equal(authenticateRefreshToken(forge({ generation: 'ffffffff' }), secrets), undefined)
  for (const generation of [-1, 2 ** 32]) {
    t.throws(() => mintRefreshToken({ ...token, generation }, secrets), RangeError)
  }
})

test('each part of a token changes it', async (t) => {
  const other: Partial<RefreshToken>[] = [
    { userId: token.familyId as string as UserId },
    { familyId: token.userId as string as FamilyId },
    { familySecret: Buffer.alloc(16) },
    { generation: 0 },
  ]
  const texts = other.map((part) => mintRefreshToken({ ...token, ...part }, secrets))
  t.equal(new Set([...texts, mintRefreshToken(token, secrets)]).size, 5)
})

test('a family secret has 128 random bits and is kept as SHA-256 only', async (t) => {
  const made = Array.from({ length: 100 }, newFamilySecret)
  t.ok(made.every((secret) => secret.length === 16))
  t.equal(new Set(made.map((secret) => secret.toString('hex'))).size, 100)
  const hash = createHash('sha256').update(token.familySecret).digest('base64url')
  t.equal(hashFamilySecret(token.familySecret), hash)
})
