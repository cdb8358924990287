// Pages and cursors without a table: the rows of a list that is at hand, and pages read in turn. How
// pages of tables are read is tested with the stores.

import { test } from 'tap'
import {
  eachPage,
  mapPage,
  type PageKey,
  parseCursor,
  takePage,
} from '../../src/database/keyset-page.ts'

const rowOf = (ms: number, id: string): PageKey => ({ at: new Date(ms), id })
const ROWS = [rowOf(1, 'b'), rowOf(2, 'a'), rowOf(2, 'c'), rowOf(3, 'b')]
const take = (limit: number, after?: PageKey) => takePage(ROWS, { limit, after }, (row) => row)

test('a page ends with the cursor of its last row, and the next one begins after that', async (t) => {
  for (const limit of [1, 2, 3, 4, 5]) {
    const found: PageKey[] = []
    let pages = 0
    for (let after: PageKey | undefined; ; pages += 1) {
      const { items, nextCursor } = take(limit, after)
      found.push(...items)
      if (nextCursor === null) break
      after = parseCursor(nextCursor)
      t.strictSame(after, items.at(-1))
    }
    t.strictSame(found, ROWS)
    t.equal(pages, Math.ceil(ROWS.length / limit) - 1, 'no page is empty')
  }
  t.strictSame(
    take(9, rowOf(2, 'b')).items,
    ROWS.slice(2),
    'a row that is gone still has its place',
  )
  t.strictSame(take(9, rowOf(3, 'b')), { items: [], nextCursor: null })
})

test('the wire form of a cursor is kept, and nothing else is one', async (t) => {
  const { nextCursor } = mapPage(take(1), ({ id }) => id)
  t.equal(nextCursor, Buffer.from('1 b').toString('base64url'))
  const others = ['', 'MSB', 'MSBi=', ' MSBi', 'MSBi\n', '1 b', 'A'.repeat(257)]
  for (const other of others) t.equal(parseCursor(other), undefined, other)
  for (const text of [
    '1',
    '1 ',
    ' b',
    'x b',
    '01 b',
    '1 b b',
    '1 \u00e9',
    `1 ${'b'.repeat(129)}`,
  ]) {
    t.equal(parseCursor(Buffer.from(text).toString('base64url')), undefined, text)
  }
})

test('pages are read in turn until one is not full', async (t) => {
  const numbers = [1, 2, 3, 4]
  for (const size of [1, 2, 3, 4, 5]) {
    const reads: number[] = []
    const pages = eachPage(size, 0, async (last: number) => {
      reads.push(last)
      return numbers.filter((number) => number > last).slice(0, size)
    })
    const found: (readonly number[])[] = []
    for await (const page of pages) found.push(page)
    t.strictSame(found.flat(), numbers)
    t.equal(reads.length, Math.floor(numbers.length / size) + 1)
  }
})
