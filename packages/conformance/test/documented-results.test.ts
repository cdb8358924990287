// The results of Lineage in README.md are those of a run.

import { test } from 'tap'
import { runConformance } from '../src/run-checks.ts'
import { DOCUMENT, readColumn, renderColumn } from './conformance-document.ts'
import { startLineageScene } from './lineage-scene.ts'

test('Lineage is as documented', async (t) => {
  const { rows } = await runConformance(await startLineageScene(t))
  t.strictSame(renderColumn(rows), readColumn('Lineage'))
})

test('Lineage passes under a flood what the document says it does', async (t) => {
  const [sentence = ''] = /With `--flood` Lineage passes\s[^.]*\./.exec(DOCUMENT) ?? []
  const only = sentence.match(/C\d+/g) ?? []
  t.ok(only.length > 0)
  const { summary } = await runConformance({
    ...(await startLineageScene(t, { throttleExempt: [] })),
    only,
    flood: true,
  })
  t.strictSame(summary, { passed: only.length, failed: 0, skipped: 0 })
})
