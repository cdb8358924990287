import fc from 'fast-check'
import { test } from 'tap'
import { listPublished, type SigningKey } from '../../src/keys/key-states.ts'
import { keepPublished } from '../../src/keys/published-keys.ts'
import { makeKey } from '../scenes/token-input.ts'

const { material } = await makeKey('ES256')

/** Keys of some age each, in the order in which they become active. */
const someKeys = fc
  .array(fc.record({ activeFromMs: fc.nat(300_000), longestTokenSeconds: fc.nat(60) }), {
    maxLength: 4,
  })
  .map((keys): SigningKey[] =>
    keys
      .sort((one, other) => one.activeFromMs - other.activeFromMs)
      .map((key, index) => ({ ...key, kid: String(index), material, publishedAtMs: 0 })),
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
  const keys: SigningKey[] = [
    { kid: 'a', material, publishedAtMs: 0, activeFromMs: 0, longestTokenSeconds: 10 },
    { kid: 'b', material, publishedAtMs: 0, activeFromMs: 1_000, longestTokenSeconds: 10 },
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
