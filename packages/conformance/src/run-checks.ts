// One run over the checklist: one row after another, so that no check disturbs another. Rows that
// guess much come last, and those that flood after them, each in its turn, so that whatever they block
// is not missed by the rest. A row that
// breaks down has failed.

import { findSkipReason, needsFlood } from './check-needs.ts'
import { CHECKLIST } from './checklist.ts'
import { CONFIRMED_SECTIONS } from './confirmed-sections.ts'
import { type Check, CheckFailure, type Level, NotApplicable } from './conformance-check.ts'
import {
  openTestedService,
  type TestedService,
  type TestedServiceOptions,
} from './tested-service.ts'

const CHECK_TIMEOUT_MS = 60_000
/** Before the first row that floods. */
const GUESSES_TURN = 0.5
const FLOOD_TURN_LAST = 9
/** Of a row that does not flood: earlier runs have used up what may be tried. */
const THROTTLED = 'the service throttled it: wait a while, or let it exempt this address'

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
  /** Hears of each row as soon as it is done. */
  readonly onRow?: (result: RowResult) => void
}

/** Rejects with an Error when the issuer has no metadata; anything later is a row's own failure. */
export async function runConformance(options: RunOptions): Promise<ConformanceReport> {
  const { only, onRow = () => {}, ...about } = options
  const service = await openTestedService(about)
  const chosen = CHECKLIST.filter(({ row }) => !only || only.includes(row))
  const results = new Map<Check, RowResult>()
  for (const check of inRunningOrder(chosen)) {
    const result = await runCheck(check, service)
    results.set(check, result)
    onRow(result)
  }
  const rows = chosen.flatMap((check) => results.get(check) ?? [])
  const count = (status: RowResult['status']) =>
    rows.filter((result) => result.status === status).length
  const summary = { passed: count('PASS'), failed: count('FAIL'), skipped: count('SKIP') }
  return { issuer: options.issuer, summary, rows }
}

function inRunningOrder(checks: readonly Check[]): readonly Check[] {
  const turnOf = (check: Check) => {
    if (!('needs' in check)) return 0
    if (!check.needs.includes(needsFlood)) return check.guesses ? GUESSES_TURN : 0
    return check.floodTurn ?? FLOOD_TURN_LAST
  }
  return checks.toSorted((one, other) => turnOf(one) - turnOf(other))
}

async function runCheck(check: Check, service: TestedService): Promise<RowResult> {
  const { row, level, sentence } = check
  const startedMs = performance.now()
  const { status, reason } = await findStatus(check, service)
  const durationMs = Math.round(performance.now() - startedMs)
  const words = reason === undefined ? {} : { reason: cleanReason(reason, service) }
  const sections = CONFIRMED_SECTIONS[row] ?? []
  return { row, level, sentence, sections, status, ...words, durationMs }
}

/** The reason on one line, without our secrets, which a service may repeat in an error. */
function cleanReason(text: string, { credentials }: TestedService): string {
  const { user, disabledUser, mfaUser } = credentials
  const { confidentialClient, otherClient, specialClient, rs256Client } = credentials
  const secrets = [
    ...[user, disabledUser, mfaUser].map((one) => one?.password),
    ...[confidentialClient, otherClient, specialClient, rs256Client].flatMap((one) => [
      one?.secret,
      one?.secondSecret,
    ]),
    credentials.expiringClient?.secret,
  ]
  return secrets
    .reduce<string>(
      (shown, secret) => (secret ? shown.replaceAll(secret, '(secret)') : shown),
      text,
    )
    .replaceAll(/\s+/g, ' ')
}

async function findStatus(
  check: Check,
  service: TestedService,
): Promise<Pick<RowResult, 'status' | 'reason'>> {
  if ('unseen' in check) return { status: 'SKIP', reason: check.unseen }
  const skipReason = findSkipReason(check, service)
  if (skipReason !== undefined) return { status: 'SKIP', reason: skipReason }
  const throttledBefore = service.countThrottled()
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
    const isThrottled = service.countThrottled() > throttledBefore
    if (isThrottled && !check.needs.includes(needsFlood))
      return { status: 'SKIP', reason: THROTTLED }
    if (error instanceof CheckFailure) return { status: 'FAIL', reason: error.message }
    const name = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { status: 'FAIL', reason: `the check broke down (${name})` }
  } finally {
    clearTimeout(timer)
  }
}
