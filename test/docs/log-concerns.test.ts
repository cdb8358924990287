// docs/operations.md names every concern that LOG_LEVELS knows, and no other.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { LOG_CONCERNS } from '../../src/ops/log-levels.ts'

test('the table of concerns is that of the code', async (t) => {
  const [, table = ''] =
    /^\| Concern \| .*\n\|[-|]+\|\n((?:\|.*\n)+)/m.exec(
      readFileSync('docs/operations.md', 'utf8'),
    ) ?? []
  const named = table
    .trim()
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name))
  t.strictSame(named.sort(), [...LOG_CONCERNS].sort())
})
