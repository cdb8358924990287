// A report for people: a line for each row, the reason under those that did not pass, and a summary.

import type { ConformanceReport, RowResult } from './run-checks.ts'

const INDENT = ' '.repeat('PASS  '.length)

/** One row, without a newline at its end. */
export function formatRow({ row, level, sentence, sections, status, reason }: RowResult): string {
  const where = sections.length === 0 ? '' : `  (${sections.join(', ')})`
  const line = `${status}  ${row.padEnd(4)}  ${level.padEnd(7)}  ${sentence}${where}`
  return reason === undefined ? line : `${line}\n${INDENT}-> ${reason}`
}

export function formatSummary({ issuer, summary, rows }: ConformanceReport): string {
  const { passed, failed, skipped } = summary
  const names = rows.filter(({ status }) => status === 'FAIL').map(({ row }) => row)
  const failures = names.length === 0 ? '' : `\nFailed: ${names.join(' ')}`
  return `${issuer}: ${passed} passed, ${failed} failed, ${skipped} skipped${failures}`
}
