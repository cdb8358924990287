import { test } from 'tap'
import type { SigningKey } from '../../src/keys/key-states.ts'
import { openTokenMint } from '../../src/tokens/token-mint.ts'
import { openVerifiedTokens } from '../../src/tokens/verified-tokens.ts'
import { ISSUER } from '../scenes/key-instances.ts'
import { client, makeKey, ROTATED_AT_MS, userClaimsAt } from '../scenes/token-input.ts'

const claims = userClaimsAt(ROTATED_AT_MS)

/** A mint whose key counts the signatures that it checks. */
async function countingMint() {
  const key = await makeKey('ES256')
  const count = { verified: 0 }
  const verify: SigningKey['material']['verify'] = (data, signature) => {
    count.verified += 1
    return key.material.verify(data, signature)
  }
  const now = { ms: ROTATED_AT_MS }
  const counted: SigningKey = { ...key, material: { ...key.material, verify } }
  const held: { keys: readonly SigningKey[] } = { keys: [counted] }
  const mint = openTokenMint({
    keys: { active: () => counted, find: (kid) => held.keys.find((known) => known.kid === kid) },
    issuer: ISSUER,
    audienceAlgs: new Map(),
    clock: () => now.ms,
  })
  return { mint, count, now, held, counted }
}

test('a signature is checked once, however often the token comes', async (t) => {
  const { mint, count } = await countingMint()
  const token = mint.sign(claims, client)
  for (let i = 0; i < 5; i += 1) t.strictSame(mint.verify(token), claims)
  t.equal(count.verified, 1)
  const other = mint.sign({ ...claims, jti: 'other' }, client)
  t.equal(mint.verify(other)?.jti, 'other')
  t.equal(count.verified, 2)
})

test('a token that was good before is refused once it has expired', async (t) => {
  const { mint, now } = await countingMint()
  const token = mint.sign(claims, client)
  t.ok(mint.verify(token))
  now.ms = claims.exp * 1000
  t.equal(mint.verify(token), undefined)
})

test('a token that was good before is refused once its key is dropped, and stays so', async (t) => {
  const { mint, held, counted } = await countingMint()
  const token = mint.sign(claims, client)
  t.ok(mint.verify(token))
  held.keys = []
  t.equal(mint.verify(token), undefined)
  // Another key under the same id has not signed it.
  const { material } = await makeKey('ES256')
  held.keys = [{ ...counted, material }]
  t.equal(mint.verify(token), undefined)
})

test('a token that was good before is good after the keys were read again', async (t) => {
  const { mint, held, counted, count } = await countingMint()
  const token = mint.sign(claims, client)
  t.ok(mint.verify(token))
  held.keys = [{ ...counted }]
  t.ok(mint.verify(token))
  t.equal(count.verified, 1)
})

test('a changed token is another token', async (t) => {
  const { mint } = await countingMint()
  const token = mint.sign(claims, client)
  t.ok(mint.verify(token))
  t.equal(mint.verify(`${token}.`), undefined)
  t.equal(mint.verify(token.slice(0, -1)), undefined)
})

test('the oldest makes room for the newest', async (t) => {
  const { material, kid } = await makeKey('ES256')
  const tokens = openVerifiedTokens(2)
  for (const name of ['first', 'second', 'third']) tokens.remember(name, { kid, material, claims })
  t.equal(tokens.find('first'), undefined)
  t.ok(tokens.find('second'))
  t.ok(tokens.find('third'))
})
