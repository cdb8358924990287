// The pages and the plot that are made of bench/results.json are those of the results that lie there.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { fillBlocks } from '../../bench/report/markdown.ts'
import { renderDocs } from '../../bench/report/write-docs.ts'
import { ROOT } from '../support/repository-text.ts'

test('what npm run bench -- docs would write is what is there', async (t) => {
  const made = renderDocs()
  t.ok(made.size >= 3)
  for (const [path, text] of made) {
    t.equal(readFileSync(join(ROOT, path), 'utf8'), text, `${path}: npm run bench -- docs`)
    t.notMatch(text, /NaN|undefined/, `${path} lacks no figure`)
  }
})

test('a block that nobody makes, and one that is nowhere, are failures', async (t) => {
  const page = 'a\n<!-- made: one -->\nold\n<!-- /made -->\nb'
  t.equal(fillBlocks(page, { one: 'new' }), page.replace('old', 'new'))
  t.throws(() => fillBlocks(page, {}), /nothing makes the block one/)
  t.throws(() => fillBlocks(page, { one: '', two: '' }), /no block in the document: two/)
})
