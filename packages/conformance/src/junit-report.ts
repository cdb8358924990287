// A report as JUnit XML, which build servers read. What the tested service wrote may stand in a
// reason, so everything is escaped and nothing that XML 1.0 has no place for gets in.

import type { ConformanceReport, RowResult } from './run-checks.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** A whole document, which ends with a newline. */
export function formatJunit({ issuer, summary, rows }: ConformanceReport): string {
  const total = rows.length
  const timeMs = rows.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const counts = `tests="${total}" failures="${summary.failed}" errors="0" skipped="${summary.skipped}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts} time="${toSeconds(timeMs)}">`,
    `  <testsuite name="${toAttribute(`lineage conformance ${issuer}`)}" ${counts} time="${toSeconds(timeMs)}">`,
    ...rows.map(formatRow),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function formatRow({ row, level, sentence, sections, status, reason = '', durationMs }: RowResult) {
  const words = sections.length === 0 ? sentence : `${sentence} (${sections.join(', ')})`
  const attributes = [
    `classname="conformance.${toAttribute(level)}"`,
    `name="${toAttribute(`${row} ${words}`)}"`,
    `time="${toSeconds(durationMs)}"`,
  ].join(' ')
  const outcome = {
    PASS: '',
    FAIL: `<failure message="${toAttribute(reason)}"/>`,
    SKIP: `<skipped message="${toAttribute(reason)}"/>`,
  }[status]
  if (outcome === '') return `    <testcase ${attributes}/>`
  return `    <testcase ${attributes}>${outcome}</testcase>`
}

function toSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3)
}

function toAttribute(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '?')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
