// The documents and the plot that are made from bench/results.json: `npm run bench -- docs`, and
// every run that changes the results.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { IS_OWN_FILE, type Results, readResults } from '../results.ts'
import { capacityBlocks } from './capacity-blocks.ts'
import { fillBlocks } from './markdown.ts'
import { performanceBlocks } from './performance-blocks.ts'
import { plotResults } from './plot.ts'

const ROOT = join(import.meta.dirname, '../..')
const PLOT = 'docs/images/bench.svg'
const PAGES = {
  'docs/performance.md': performanceBlocks,
  'docs/capacity.md': capacityBlocks,
}

/** What each file has to hold, by its path in the repository. */
export function renderDocs(results: Results = readResults()): Map<string, string> {
  const pages = Object.entries(PAGES).map(([path, makeBlocks]) => {
    const document = readFileSync(join(ROOT, path), 'utf8')
    return [path, fillBlocks(document, makeBlocks(results))] as const
  })
  return new Map([...pages, [PLOT, plotResults(results)]])
}

/** Nothing where the results of this run are kept elsewhere. */
export function writeDocs(): void {
  if (!IS_OWN_FILE) return
  for (const [path, text] of renderDocs()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), text)
  }
}
