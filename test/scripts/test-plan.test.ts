// The order in which files are started: none is lost, and what it names is there.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { PLANNED, planFiles } from '../../scripts/test-plan.mjs'
import { ROOT } from '../support/repository-text.ts'

test('every file is started once, the long ones first', async (t) => {
  const named = [...PLANNED]
  const files = ['test/a.test.ts', ...named, 'test/z.test.ts']
  const { queue, idle } = planFiles(files)
  t.strictSame([...queue, ...idle].sort(), [...files].sort())
  t.strictSame(queue.slice(-2), ['test/a.test.ts', 'test/z.test.ts'])
  t.strictSame([...queue.slice(0, -2), ...idle], named)
})

test('each file that it names exists', async (t) => {
  for (const file of PLANNED) t.ok(existsSync(join(ROOT, file)), file)
})
