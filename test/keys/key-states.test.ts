import { test } from 'tap'
import {
  deriveStates,
  findActive,
  findNext,
  listPublished,
  listRetired,
  planRotation,
  type SigningKey,
} from '../../src/keys/key-states.ts'
import { makeKey } from '../scenes/token-input.ts'

const DAY = 86_400_000
const { material } = await makeKey()
const key = (kid: string, activeFromMs: number, longestTokenSeconds = 600): SigningKey => ({
  kid,
  material,
  publishedAtMs: activeFromMs - 360_000,
  activeFromMs,
  longestTokenSeconds,
})
const rules = {
  signingAlg: 'ES256',
  keyRotationDays: 30,
  jwksMaxAgeSeconds: 300,
  openedAtMs: 0,
} as const

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
  const keys = [key('a', 0, 86_400), key('b', SWITCH - 1000), key('c', SWITCH)]
  t.strictSame(statesAt(keys, SWITCH), ['retiring', 'retiring', 'active'])
  t.strictSame(statesAt(keys, RETIRE), ['retiring', 'retired', 'active'])
})

test('a clock behind that of the maker of the only key signs with it all the same', async (t) => {
  const ahead = [key('only', SWITCH)]
  t.equal(findActive(ahead, SWITCH - 3000)?.kid, 'only')
  t.equal(findNext(ahead, SWITCH - 3000), undefined)
  t.strictSame(statesAt(ahead, SWITCH - 3000), ['active'])
})

test('the first key of all is active at once', async (t) => {
  t.equal(findActive([], 5), undefined)
  t.equal(planRotation([], 5, rules), 5)
})

test('a successor is due after the configured days, and signs after max-age and 60 s', async (t) => {
  const keys = pair.slice(1)
  const due = SWITCH + 30 * DAY
  t.equal(planRotation(keys, due - 1, rules), undefined)
  t.equal(planRotation(keys, due, rules), due + 360_000)
  t.equal(planRotation([...keys, key('next', due + 360_000)], due, rules), undefined, 'one waits')
})

test('another algorithm is due at the start, for keys from before it only', async (t) => {
  const keys = pair.slice(1)
  const now = SWITCH + 1000
  const published = SWITCH - 360_000
  const other = { ...rules, signingAlg: 'EdDSA' } as const
  t.equal(planRotation(keys, now, { ...other, openedAtMs: published }), now + 360_000)
  t.equal(planRotation(keys, now, { ...other, openedAtMs: published - 1 }), undefined)
})
