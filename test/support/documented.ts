// The tables of docs/integrations.md, read by the suites that prove them: a line there says what its
// test has just seen, and no library is in one place alone.

import { readFileSync } from 'node:fs'

/** Cells by the title of their column. */
export type Line = Readonly<Record<string, string>>

/** The lines of the first table below a heading, by their first cell. */
export function readTable(heading: string): ReadonlyMap<string, Line> {
  const text = readFileSync('docs/integrations.md', 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const [titles = [], , ...rows] = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map(readCells)
  return new Map(rows.map((row) => [row[0] ?? '', toLine(titles, row)]))
}

/** The code blocks of a language below the heading of a program. */
export function readBlocks(heading: string, language: string): readonly string[] {
  const document = readFileSync('docs/integrations.md', 'utf8')
  const section = document.split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`))
  const blocks = (section ?? '').split(`\`\`\`${language}\n`).slice(1)
  return blocks.map((block) => block.slice(0, block.indexOf('```')))
}

/** Makes each replacement; throws where the document no longer has what is replaced. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((filled, [from, to]) => {
    if (!filled.includes(from)) throw new Error(`not in the document: ${from}`)
    return filled.replaceAll(from, to)
  }, text)
}

function readCells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

function toLine(titles: readonly string[], row: readonly string[]): Line {
  return Object.fromEntries(titles.map((title, index) => [title, row[index] ?? '']))
}
