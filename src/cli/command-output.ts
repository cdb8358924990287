// How results are printed: one JSON document for programs, a table or a list of members for people.

import { toPrintable } from '../runtime/printable.ts'
import type { CommandContext, OutputOptions } from './command-context.ts'

/** Prints `document` with `--json`, else `text`, which ends without a newline. */
export function printResult(
  { stdout }: Pick<CommandContext, 'stdout'>,
  { json }: OutputOptions,
  document: unknown,
  text: string,
): void {
  if (json) stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  else if (text !== '') stdout.write(`${text}\n`)
}

/** The members that a table shows, in this order: one that is not decided upon does not compile. */
export function columnsOf<Row>(isShown: Record<keyof Row & string, boolean>) {
  const names = Object.keys(isShown) as (keyof Row & string)[]
  return names.filter((name) => isShown[name])
}

/** A table: a column for each named member, headed by its name. */
export function formatTable<Row extends object>(
  rows: readonly Row[],
  columns: readonly (keyof Row & string)[],
): string {
  const lines = [columns.map(toTitle), ...rows.map((row) => columns.map((name) => show(row[name])))]
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => line[index]?.length ?? 0)),
  )
  return lines
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One line for each member. */
export function formatRecord(record: object): string {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined)
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries
    .map(([name, value]) => `${name.padEnd(width)}  ${show(value)}`.trimEnd())
    .join('\n')
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(show).join(' ')
  return toPrintable(typeof value === 'string' ? value : JSON.stringify(value))
}

/** The head of a column: `CREATED AT` for `createdAt`. */
function toTitle(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase()
}
