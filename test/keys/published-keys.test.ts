import fc from 'fast-check'
import { test } from 'tap'
import { listPublished, type SigningKey } from '../../src/keys/key-states.ts'
import { keepPublished } from '../../src/keys/published-keys.ts'
import { makeKey } from '../scenes/token-input.ts'

const materials = [(await makeKey('ES256')).material, (await makeKey('EdDSA')).material] as const
const [material] = materials

/** Keys of some age each, in the order in which they become active. */
const someKeys = fc
  .array(
    fc.record({
      material: fc.constantFrom(...materials),
      activeFromMs: fc.nat(300_000),
      signsUntilMs: fc.option(fc.nat(300_000), { nil: undefined, freq: 3 }),
      longestTokenSeconds: fc.nat(60),
    }),
    { maxLength: 6 },
  )
  .map((keys): SigningKey[] =>
    keys
      .sort((one, other) => one.activeFromMs - other.activeFromMs)
      .map((key, index) => ({ ...key, kid: String(index), publishedAtMs: 0, wantedAtMs: 0 })),
  )

test('the held list is the one that would be computed, however time moves and keys change', async (t) => {
  fc.assert(
    fc.property(
      fc.array(someKeys, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), fc.nat(500_000)), { maxLength: 40 }),
      (lists, asked) => {
        const published = keepPublished()
        return asked.every(([index, nowMs]) => {
          const keys = lists[index % lists.length] ?? []
          const [held, computed] = [published(keys, nowMs), listPublished(keys, nowMs)]
          return held.length === computed.length && held.every((key, at) => key === computed[at])
        })
      },
    ),
  )
  t.pass('for many lists and moments')
})

test('the list is the same one until something changes', async (t) => {
  const life = { signsUntilMs: undefined, longestTokenSeconds: 10 }
  const common = { ...life, material, publishedAtMs: 0, wantedAtMs: 0 }
  const keys: SigningKey[] = [
    { ...common, kid: 'a', activeFromMs: 0 },
    { ...common, kid: 'b', activeFromMs: 1_000 },
  ]
  const published = keepPublished()
  const before = published(keys, 1_000)
  // The first one retires 10 s and a margin of 60 s after the second became active.
  t.equal(published(keys, 70_999), before)
  t.strictSame(
    published(keys, 71_000).map(({ kid }) => kid),
    ['b'],
  )
})
