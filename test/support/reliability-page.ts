// docs/reliability.md holds the figures of runs that are too long for the suite. Each of these commands
// writes its own block of the page, and nobody else does.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './repository-text.ts'

const PAGE = join(ROOT, 'docs/reliability.md')

/** Replaces the block `name` of docs/reliability.md with `markdown`. Throws when there is no such block. */
export function writeReliability(name: string, markdown: string): void {
  const page = readFileSync(PAGE, 'utf8')
  const begin = `<!-- made: ${name} -->\n`
  const from = page.indexOf(begin)
  const to = page.indexOf('<!-- /made -->', from)
  if (from < 0 || to < 0) throw new Error(`docs/reliability.md has no block ${name}`)
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}${markdown}\n${page.slice(to)}`)
}
