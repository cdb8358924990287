// What README.md of the package says of each row, for the tests that compare it with the checklist and
// with real runs.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RowResult } from '../src/run-checks.ts'

export const COLUMNS = ['Lineage', 'oidc-provider, JWT', 'oidc-provider, opaque'] as const

export type Column = (typeof COLUMNS)[number]

export interface DocumentedRow {
  readonly row: string
  readonly level: string
  readonly sentence: string
  readonly results: Readonly<Record<Column, string>>
}

export const DOCUMENT = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

/** The cells of each line of the table below a heading, without the table's own head. */
export function readTable(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = DOCUMENT.split(`\n## ${heading}\n`)
  const lines = (section.split('\n## ', 1)[0] ?? '').match(/^\|.*\|$/gm) ?? []
  return lines
    .slice(2)
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
}

export function readRows(): readonly DocumentedRow[] {
  return readTable('Every row').map(([row = '', level = '', sentence = '', ...cells]) => ({
    row,
    level,
    sentence,
    results: {
      [COLUMNS[0]]: cells[0] ?? '',
      [COLUMNS[1]]: cells[1] ?? '',
      [COLUMNS[2]]: cells[2] ?? '',
    },
  }))
}

/** A column as lines that a difference can be read from. */
export function readColumn(column: Column): readonly string[] {
  return readRows().map(({ row, results }) => `${row} ${results[column]}`)
}

export function renderColumn(rows: readonly RowResult[]): readonly string[] {
  return rows.map(({ row, status }) => `${row} ${status}`)
}
