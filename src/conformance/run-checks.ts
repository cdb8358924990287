// One run over the checklist: every row in its order, one after another, so that no check disturbs
// another. A row that breaks down has failed.

import { findSkipReason } from './check-needs.ts'
import { CHECKLIST } from './checklist.ts'
import { CONFIRMED_SECTIONS } from './confirmed-sections.ts'
import { type Check, CheckFailure, type Level, NotApplicable } from './conformance-check.ts'
import {
  openTestedService,
  type TestedService,
  type TestedServiceOptions,
} from './tested-service.ts'

const CHECK_TIMEOUT_MS = 60_000

export interface RowResult {
  readonly row: string
  readonly level: Level
  readonly sentence: string
  /** Such as `RFC 6749 §5.2`; empty where none was confirmed, and for our own promises. */
  readonly sections: readonly string[]
  readonly status: 'PASS' | 'FAIL' | 'SKIP'
  /** Why it failed or was skipped. */
  readonly reason?: string
  readonly durationMs: number
}

export interface ConformanceReport {
  readonly issuer: string
  readonly summary: { readonly passed: number; readonly failed: number; readonly skipped: number }
  readonly rows: readonly RowResult[]
}

export interface RunOptions extends TestedServiceOptions {
  /** Only these rows, such as `C49`; undefined means all. */
  readonly only?: readonly string[]
}

/** Rejects with an Error when the issuer has no metadata; anything later is a row's own failure. */
export async function runConformance({ only, ...options }: RunOptions): Promise<ConformanceReport> {
  const service = await openTestedService(options)
  const rows: RowResult[] = []
  for (const check of CHECKLIST) {
    if (!only || only.includes(check.row)) rows.push(await runCheck(check, service))
  }
  const count = (status: RowResult['status']) =>
    rows.filter((result) => result.status === status).length
  const summary = { passed: count('PASS'), failed: count('FAIL'), skipped: count('SKIP') }
  return { issuer: options.issuer, summary, rows }
}

async function runCheck(check: Check, service: TestedService): Promise<RowResult> {
  const { row, level, sentence } = check
  const startedMs = performance.now()
  const outcome = await judge(check, service)
  const durationMs = Math.round(performance.now() - startedMs)
  return { row, level, sentence, sections: CONFIRMED_SECTIONS[row] ?? [], ...outcome, durationMs }
}

async function judge(
  check: Check,
  service: TestedService,
): Promise<Pick<RowResult, 'status' | 'reason'>> {
  if ('unseen' in check) return { status: 'SKIP', reason: check.unseen }
  const skipReason = findSkipReason(check, service)
  if (skipReason !== undefined) return { status: 'SKIP', reason: skipReason }
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    const error = new CheckFailure(`it was not done after ${CHECK_TIMEOUT_MS / 1000} s`)
    timer = setTimeout(() => reject(error), CHECK_TIMEOUT_MS)
  })
  try {
    await Promise.race([check.run(service), timeout])
    return { status: 'PASS' }
  } catch (error) {
    if (error instanceof NotApplicable) return { status: 'SKIP', reason: error.message }
    if (error instanceof CheckFailure) return { status: 'FAIL', reason: error.message }
    const name = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { status: 'FAIL', reason: `the check broke down (${name})` }
  } finally {
    clearTimeout(timer)
  }
}
