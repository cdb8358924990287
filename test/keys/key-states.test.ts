import { test } from 'tap'
import {
  deriveStates,
  findActive,
  findNext,
  findSigner,
  listPublished,
  listRetired,
  type SigningKey,
} from '../../src/keys/key-states.ts'
import { makeKey } from '../scenes/token-input.ts'

const DAY = 86_400_000
const { material } = await makeKey()
const { material: rs256 } = await makeKey('RS256')
const key = (kid: string, activeFromMs: number, more: Partial<SigningKey> = {}): SigningKey => ({
  kid,
  material,
  publishedAtMs: activeFromMs - 360_000,
  activeFromMs,
  signsUntilMs: undefined,
  wantedAtMs: activeFromMs,
  longestTokenSeconds: 600,
  ...more,
})

const SWITCH = 100 * DAY
const RETIRE = SWITCH + 660_000
const pair = [key('old', 70 * DAY), key('new', SWITCH)]
const statesAt = (keys: readonly SigningKey[], nowMs: number) =>
  deriveStates(keys, nowMs).map(({ state }) => state)

test('the states change at their very moments (C75)', async (t) => {
  t.strictSame(statesAt(pair, SWITCH - 1), ['active', 'next'])
  t.strictSame(statesAt(pair, SWITCH), ['retiring', 'active'])
  t.strictSame(statesAt(pair, RETIRE - 1), ['retiring', 'active'])
  t.strictSame(statesAt(pair, RETIRE), ['retired', 'active'])
})

test('retireAt is told from the moment the successor is active: last use, token life and 60 s', async (t) => {
  t.equal(deriveStates(pair, SWITCH - 1)[0]?.retireAtMs, undefined)
  t.equal(deriveStates(pair, SWITCH)[0]?.retireAtMs, RETIRE)
  t.equal(deriveStates(pair, SWITCH)[1]?.retireAtMs, undefined)
})

test('only what is retired is left out of JWKS', async (t) => {
  t.strictSame(listPublished(pair, RETIRE - 1), pair)
  t.strictSame(listPublished(pair, RETIRE), pair.slice(1))
  t.strictSame(listRetired(pair, RETIRE), pair.slice(0, 1))
})

test('several keys may be retiring at once, each until its own moment', async (t) => {
  const keys = [
    key('a', 0, { longestTokenSeconds: 86_400 }),
    key('b', SWITCH - 1000),
    key('c', SWITCH),
  ]
  t.strictSame(statesAt(keys, SWITCH), ['retiring', 'retiring', 'active'])
  t.strictSame(statesAt(keys, RETIRE), ['retiring', 'retired', 'active'])
})

test('a key of another algorithm ends nothing', async (t) => {
  const keys = [pair[0], key('rsa', SWITCH - 5, { material: rs256 }), pair[1]].flatMap(
    (one) => one ?? [],
  )
  t.strictSame(statesAt(keys, SWITCH - 1), ['active', 'active', 'next'])
  t.strictSame(statesAt(keys, SWITCH), ['retiring', 'active', 'active'])
  t.equal(findActive(keys, 'ES256', SWITCH)?.kid, 'new')
  t.equal(findActive(keys, 'RS256', SWITCH)?.kid, 'rsa')
  t.equal(findNext(keys, 'ES256', SWITCH - 1)?.kid, 'new')
  t.equal(findNext(keys, 'RS256', SWITCH - 1), undefined)
})

test('an algorithm that is given up ends at its moment, and its tokens go on to their end', async (t) => {
  const keys = [
    key('es', 0),
    key('rsa', 10, { material: rs256 }),
    key('rsa-2', 50, { material: rs256, signsUntilMs: SWITCH }),
  ]
  t.equal(findActive(keys, 'RS256', SWITCH - 1)?.kid, 'rsa-2')
  t.equal(findActive(keys, 'RS256', SWITCH), undefined, 'nor the one before it')
  t.strictSame(statesAt(keys, SWITCH), ['active', 'retired', 'retiring'])
  t.strictSame(statesAt(keys, RETIRE - 1), ['active', 'retired', 'retiring'])
  t.strictSame(statesAt(keys, RETIRE), ['active', 'retired', 'retired'])
})

test('whoever asks for an algorithm without a key that may sign gets the first configured that has one', async (t) => {
  const keys = [key('es', 0), key('rsa', SWITCH, { material: rs256 })]
  const signer = (
    alg: string | null,
    configured: Parameters<typeof findSigner>[2],
    nowMs: number,
  ) => findSigner(keys, alg, configured, nowMs)?.kid
  t.equal(signer('RS256', ['ES256', 'RS256'], SWITCH - 1), 'es', 'not before every JWKS has it')
  t.equal(signer('RS256', ['ES256', 'RS256'], SWITCH), 'rsa')
  t.equal(signer(null, ['ES256', 'RS256'], SWITCH), 'es')
  t.equal(signer(null, ['RS256', 'ES256'], SWITCH), 'rsa')
  t.equal(signer(null, ['RS256', 'ES256'], SWITCH - 1), 'es', 'a new default waits, too')
  t.equal(signer('PS256', ['EdDSA'], SWITCH - 1), 'es', 'one of before, where none is configured')
  t.equal(findSigner([], null, ['ES256'], SWITCH), undefined)
})

test('a clock behind that of the maker of the first keys signs with them all the same', async (t) => {
  const ahead = [key('only', SWITCH), key('rsa', SWITCH, { material: rs256 })]
  t.equal(findActive(ahead, 'ES256', SWITCH - 3000)?.kid, 'only')
  t.equal(findActive(ahead, 'RS256', SWITCH - 3000)?.kid, 'rsa')
  t.equal(findNext(ahead, 'ES256', SWITCH - 3000), undefined)
  t.strictSame(statesAt(ahead, SWITCH - 3000), ['active', 'active'])
})
