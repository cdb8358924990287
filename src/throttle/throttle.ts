// Bounds guessing: so many failures for one account from one source, from one source, and for one
// account from all sources that it does not know (docs/login.md). Only failures count, and the verdict
// is asked for twice: before the work, and before its outcome is told. So however many attempts run at
// once, on however many instances, nobody learns more outcomes than the budget has.

import { OAuthError } from '../oauth/oauth-error.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import { sourceNetwork } from '../runtime/source-network.ts'
import { hmacSha256 } from '../secrets/hmac.ts'
import type { Counter, Counters, Tally } from './counters.ts'
import {
  type Budget,
  type Budgets,
  GUESS_BUDGETS,
  type Guess,
  KNOWN_MS,
  KNOWN_RENEWED_BELOW_MS,
} from './guess.ts'

/** None of these rejects with DependencyUnavailable: while the store is away, memory counts. */
export interface Throttle {
  /** Before the work. Throws OAuthError `throttled` when a budget is used up. */
  check(guess: Guess): Promise<void>
  /**
   * Counts a failure. Throws OAuthError `throttled` where others have used the budget up meanwhile:
   * then the caller is told that, and not the outcome.
   */
  failed(guess: Guess): Promise<void>
  /**
   * Throws as `failed` does, and else makes the source known to the account and to its other names
   * in `aliases`.
   */
  succeeded(guess: Guess, aliases?: readonly string[]): Promise<void>
}

export interface ThrottleDependencies {
  readonly counters: Counters
  /** Makes accounts and sources unreadable in the store: people type passwords into every field. */
  readonly key: Buffer
  readonly isExempt: (ip: string) => boolean
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

/** Where LINEAGE_THROTTLE is off. */
export const NO_THROTTLE: Throttle = {
  async check() {},
  async failed() {},
  async succeeded() {},
}

export function openThrottle(dependencies: ThrottleDependencies): Throttle {
  const { counters, isExempt, clock, recordEvent } = dependencies

  function namesOf(guess: Guess, account = guess.account) {
    const source = sourceNetwork(guess.ip)
    const digest = (...facts: readonly string[]) =>
      hmacSha256(dependencies.key, Buffer.from(JSON.stringify([guess.kind, ...facts])))
        .subarray(0, DIGEST_BYTES)
        .toString('base64url')
    const [accountName, sourceName] = [digest('account', account), digest('source', source)]
    const budgets = GUESS_BUDGETS[guess.kind]
    return {
      budgets,
      pair: counterOf(accountName, `p${sourceName}`, budgets.pair),
      account: counterOf(accountName, 'a', budgets.account),
      source: counterOf(sourceName, 's', budgets.source),
      known: { group: accountName, name: `k${sourceName}`, windowMs: KNOWN_MS },
    }
  }

  type Names = ReturnType<typeof namesOf>

  async function read(names: Names): Promise<Standing> {
    const { pair, account, source, known } = names
    const asked = names.budgets.knowsSources
      ? [pair, account, source, known]
      : [pair, account, source]
    return standingOf(await counters.read(asked, clock()))
  }

  /** No round trip for a kind that knows no sources. */
  async function isKnown({ budgets, known }: Names): Promise<boolean> {
    if (!budgets.knowsSources) return false
    const [tally] = await counters.read([known], clock())
    return (tally?.count ?? 0) > 0
  }

  function refuseOver(standing: Standing, budgets: Budgets, room: 0 | 1): void {
    const leftMs = findOver(standing, budgets, room)
    if (leftMs === undefined) return
    const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / 1000))
    throw new OAuthError('throttled', { retryAfterSeconds })
  }

  return {
    async check(guess) {
      if (isExempt(guess.ip)) return
      const names = namesOf(guess)
      refuseOver(await read(names), names.budgets, 1)
    },

    async failed(guess) {
      if (isExempt(guess.ip)) return
      const names = namesOf(guess)
      // Known or not decides which counters count, and does not change in the moment between.
      const known = await isKnown(names)
      const counted = known ? [names.pair, names.source] : [names.pair, names.source, names.account]
      const [pair, source, account] = await counters.add(counted, clock())
      const standing = { isKnown: known, pair, source, account, knownLeftMs: 0 }
      announce(standing, guess, names.budgets, recordEvent)
      refuseOver(standing, names.budgets, 0)
    },

    async succeeded(guess, aliases = []) {
      if (isExempt(guess.ip)) return
      const names = namesOf(guess)
      const standing = await read(names)
      refuseOver(standing, names.budgets, 1)
      if (!names.budgets.knowsSources || standing.knownLeftMs > KNOWN_RENEWED_BELOW_MS) return
      const accounts = [...new Set([guess.account, ...aliases])]
      const marks = accounts.map((account) => namesOf(guess, account).known)
      await counters.mark(marks, clock())
    },
  }
}

const DIGEST_BYTES = 16

/** Where one guess stands: each tally, and for how long the source is still known. */
interface Standing {
  readonly pair: Tally | undefined
  readonly account: Tally | undefined
  readonly source: Tally | undefined
  readonly isKnown: boolean
  readonly knownLeftMs: number
}

/** In the order in which `read` asks. */
function standingOf([pair, account, source, known]: readonly Tally[]): Standing {
  const knownLeftMs = known?.leftMs ?? 0
  return { pair, account, source, isKnown: (known?.count ?? 0) > 0, knownLeftMs }
}

function counterOf(group: string, name: string, { windowMs }: Budget): Counter {
  return { group, name, windowMs }
}

/**
 * How long until every budget that is used up begins anew; undefined when none is. `room` is how many
 * more failures there must be room for. A known source is held to its own budget alone, so that
 * nobody else can use up what its owner needs.
 */
function findOver(standing: Standing, budgets: Budgets, room: 0 | 1): number | undefined {
  const held = standing.isKnown ? PAIR : ALL
  const over = held.filter((name) => (standing[name]?.count ?? 0) + room > budgets[name].max)
  if (over.length === 0) return undefined
  return Math.max(...over.map((name) => standing[name]?.leftMs ?? 0))
}

const PAIR = ['pair'] as const
const ALL = ['pair', 'account', 'source'] as const

/** One event for each budget that this very failure has used up: one a window, however long the flood. */
function announce(
  standing: Standing,
  { kind, ip }: Guess,
  budgets: Budgets,
  recordEvent: RecordEvent,
): void {
  for (const budget of ALL) {
    if (standing[budget]?.count !== budgets[budget].max) continue
    recordEvent({ type: 'throttle.exhausted', reason: budget, ip, detail: { kind } })
  }
}
