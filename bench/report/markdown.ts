// Tables for the documents, and the blocks of a document that are made from the results: what stands
// between `<!-- made: NAME -->` and `<!-- /made -->`.

import type { Spread } from '../statistics.ts'
import { toText } from './print.ts'

export type Blocks = Readonly<Record<string, string>>

export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

const BLOCK = /<!-- made: ([\w-]+) -->\n[\s\S]*?<!-- \/made -->/g

/** The document with every block made anew. Throws for a block that nobody makes, or none at all. */
export function fillBlocks(document: string, blocks: Blocks): string {
  const left = new Set(Object.keys(blocks))
  const filled = document.replace(BLOCK, (_, name: string) => {
    const text = blocks[name]
    if (text === undefined) throw new Error(`nothing makes the block ${name}`)
    left.delete(name)
    return `<!-- made: ${name} -->\n${text}\n<!-- /made -->`
  })
  if (left.size > 0) throw new Error(`no block in the document: ${[...left].join(', ')}`)
  return filled
}

/** The median alone; a dash where nothing was measured. */
export function middle(spread: Spread | undefined): string {
  return spread ? toText(spread.median) : '–'
}

/** The median with its quartiles. */
export function spreadText(spread: Spread | undefined): string {
  if (!spread) return '–'
  return `${toText(spread.median)} (${toText(spread.low)}–${toText(spread.high)})`
}
