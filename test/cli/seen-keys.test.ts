// Which line had a key first: as a map would tell, however many there are, up to a bound.

import { test } from 'tap'
import { openSeenKeys } from '../../src/cli/seen-keys.ts'

test('tells the line of every key, and none of a key that it has not seen', async (t) => {
  const seen = openSeenKeys()
  const count = 20_000
  for (let line = 1; line <= count; line += 1) {
    seen.set(`username user${line}`, line)
    seen.set(`email user${line}`, line)
  }
  let wrong = 0
  for (let line = 1; line <= count; line += 1) {
    if (seen.get(`username user${line}`) !== line) wrong += 1
    if (seen.get(`email user${line}`) !== line) wrong += 1
    if (seen.get(`id user${line}`) !== undefined) wrong += 1
  }
  t.equal(wrong, 0)
})

test('what comes after its bound is not kept, and what was before stays', async (t) => {
  const seen = openSeenKeys(3)
  for (let line = 1; line <= 5; line += 1) seen.set(`k${line}`, line)
  t.strictSame(
    [1, 2, 3, 4, 5].map((line) => seen.get(`k${line}`)),
    [1, 2, 3, undefined, undefined],
  )
})
