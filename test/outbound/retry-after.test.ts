// When a receiver wants to be tried again.

import { test } from 'tap'
import { parseRetryAfter } from '../../src/outbound/retry-after.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')

test('seconds, or a date that may be over', async (t) => {
  for (const [text, seconds] of [
    ['0', 0],
    ['120', 120],
    ['999999999', 999_999_999],
    ['Mon, 01 Jun 2026 12:01:40 GMT', 100],
    ['Mon, 01 Jun 2026 11:00:00 GMT', 0],
  ] as const) {
    t.equal(parseRetryAfter(text, NOW), seconds, text)
  }
})

test('what cannot be read says nothing', async (t) => {
  t.equal(parseRetryAfter(undefined, NOW), undefined)
  for (const text of [
    ...['', '-1', '1.5', '1e3', '1 s', 'soon', '1, 2', '9'.repeat(400)],
    ...['2026-06-01T12:00:00Z', 'Mon, 99 Jun 2026 12:00:00 GMT', 'Mon, 01 Xyz 2026 12:00:00 GMT'],
  ]) {
    t.equal(parseRetryAfter(text, NOW), undefined, text)
  }
})
