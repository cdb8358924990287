// docs/operations.md and the service name the same metrics, with the same labels.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { openFigures } from '../../src/metrics/figures.ts'

const TEXT = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
const ROW = /^\| (`lineage_[^|]*) \| ([^|]*)\|/gm

test('every metric is documented with its labels, and there is no other', (t) => {
  const documented = new Map<string, string>()
  for (const [, names = '', labels = ''] of TEXT.matchAll(ROW)) {
    for (const [, name = ''] of names.matchAll(/`(\w+)`/g)) {
      documented.set(name, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).join())
    }
  }
  const figures = Object.values(openFigures()).map(
    ({ facts }) => [facts.name, facts.labels.join()] as const,
  )
  t.strictSame([...documented].sort(), figures.sort())
  t.end()
})
