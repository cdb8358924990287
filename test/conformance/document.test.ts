// The results of Lineage in docs/conformance.md are those of a run.

import { test } from 'tap'
import { runConformance } from '../../src/conformance/run-checks.ts'
import { readColumn, renderColumn } from '../docs/conformance-document.ts'
import { startLineageScene } from './lineage-scene.ts'

test('Lineage is as documented', async (t) => {
  const { rows } = await runConformance(await startLineageScene(t))
  t.strictSame(renderColumn(rows), readColumn('Lineage'))
})
