import { test } from 'tap'
import {
  hashClientSecret,
  matchesClientSecret,
  newClientSecret,
} from '../../src/clients/client-secret.ts'
import { countComparisons } from '../support/counted-comparisons.ts'

test('a secret is 256 random bits that need no form encoding', async (t) => {
  const secret = newClientSecret()
  t.match(secret, /^lcs_[A-Za-z0-9_-]{43}$/)
  t.equal(encodeURIComponent(secret), secret)
  t.not(newClientSecret(), secret)
})

test('a secret is kept as SHA-256 only (C30)', async (t) => {
  const hex = hashClientSecret('abc').toString('hex')
  t.equal(hex, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('either of two secrets matches, nothing else does (C30)', async (t) => {
  const [first, second, other] = [newClientSecret(), newClientSecret(), newClientSecret()]
  const hashes = [hashClientSecret(first), hashClientSecret(second)]
  t.ok(matchesClientSecret(first, hashes))
  t.ok(matchesClientSecret(second, hashes))
  for (const presented of [other, '', `${first} `, first.slice(0, -1), first.toUpperCase()]) {
    t.notOk(matchesClientSecret(presented, hashes), presented)
  }
  t.notOk(matchesClientSecret('', []), 'no secret matches nothing')
  t.notOk(matchesClientSecret(first, []), 'a client without secrets matches nothing')
})

test('every comparison is two constant-time ones, whatever there is to compare (C29)', async (t) => {
  const count = countComparisons(t)
  const [first, second] = [newClientSecret(), newClientSecret()]
  const both = [hashClientSecret(first), hashClientSecret(second)]
  for (const [presented, hashes] of [
    [first, both],
    [second, both],
    ['wrong', both],
    [first, both.slice(0, 1)],
    ['wrong', both.slice(0, 1)],
    ['wrong', []],
    ['', []],
  ] as const) {
    t.equal(await count(() => matchesClientSecret(presented, hashes)), 2)
  }
})
