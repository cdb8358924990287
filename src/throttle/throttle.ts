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
  type GuessKind,
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
  /** Told of every refusal, with the budget that is used up for longest. */
  readonly onRefused?: (budget: BudgetName) => void
}

/** Where LINEAGE_THROTTLE is off. */
export const NO_THROTTLE: Throttle = {
  async check() {},
  async failed() {},
  async succeeded() {},
}

export function openThrottle(dependencies: ThrottleDependencies): Throttle {
  const { counters, isExempt, clock, recordEvent, onRefused = () => {} } = dependencies

  function namesOf(guess: Guess, account = guess.account) {
    const source = sourceNetwork(guess.ip)
    const budgets: Budgets = GUESS_BUDGETS[guess.kind]
    const digest = (kind: GuessKind, ...facts: readonly string[]) =>
      hmacSha256(dependencies.key, Buffer.from(JSON.stringify([kind, ...facts])))
        .subarray(0, DIGEST_BYTES)
        .toString('base64url')
    const namesIn = (kind: GuessKind) =>
      [digest(kind, 'account', account), digest(kind, 'source', source)] as const
    const [accountName, sourceName] = namesIn(guess.kind)
    const [knownAccount, knownSource] = namesIn(budgets.knownBy ?? guess.kind)
    return {
      budgets,
      pair: counterOf(accountName, `p${sourceName}`, budgets.pair),
      account: counterOf(accountName, 'a', budgets.account),
      source: counterOf(sourceName, 's', budgets.source),
      known: { group: knownAccount, name: `k${knownSource}`, windowMs: KNOWN_MS },
    }
  }

  type Names = ReturnType<typeof namesOf>

  async function read(names: Names): Promise<Standing> {
    const { pair, account, source, known } = names
    const asked = names.budgets.knownBy ? [pair, account, source, known] : [pair, account, source]
    return standingOf(await counters.read(asked, clock()))
  }

  /** No round trip for a kind that knows no sources. */
  async function isKnown({ budgets, known }: Names): Promise<boolean> {
    if (!budgets.knownBy) return false
    const [tally] = await counters.read([known], clock())
    return (tally?.count ?? 0) > 0
  }

  function refuseOver(standing: Standing, budgets: Budgets, room: 0 | 1): void {
    const over = findOver(standing, budgets, room)
    if (!over) return
    onRefused(over.budget)
    const { leftMs } = over
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
      const add = async (counter: Counter) => (await counters.add([counter], clock()))[0]
      // One after the other: a source that is refused takes nothing from the account, and one that
      // guesses at ever new accounts makes no further counters.
      const [known, source] = await Promise.all([isKnown(names), add(names.source)])
      let standing: Standing = { ...NOTHING_COUNTED, isKnown: known }
      const count = (counted: Partial<Standing>) => {
        announce(counted, guess, names.budgets, recordEvent)
        standing = { ...standing, ...counted }
        refuseOver(standing, names.budgets, 0)
      }
      count({ source })
      count({ pair: await add(names.pair) })
      if (!known) count({ account: await add(names.account) })
    },

    async succeeded(guess, aliases = []) {
      if (isExempt(guess.ip)) return
      const names = namesOf(guess)
      const standing = await read(names)
      refuseOver(standing, names.budgets, 1)
      const isOwnMark = names.budgets.knownBy === guess.kind
      if (!isOwnMark || standing.knownLeftMs > KNOWN_RENEWED_BELOW_MS) return
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

const NOTHING_COUNTED = { pair: undefined, account: undefined, source: undefined, knownLeftMs: 0 }

/** In the order in which `read` asks. */
function standingOf([pair, account, source, known]: readonly Tally[]): Standing {
  const knownLeftMs = known?.leftMs ?? 0
  return { pair, account, source, isKnown: (known?.count ?? 0) > 0, knownLeftMs }
}

function counterOf(group: string, name: string, { windowMs }: Budget): Counter {
  return { group, name, windowMs }
}

/** A budget that is used up, and how long until it begins anew. */
interface Over {
  readonly budget: BudgetName
  readonly leftMs: number
}

/**
 * Of the budgets that are used up the one that begins anew last; undefined when none is. `room` is how many
 * more failures there must be room for. A known source is held to its own budget alone, so that
 * nobody else can use up what its owner needs.
 */
function findOver(standing: Standing, budgets: Budgets, room: 0 | 1): Over | undefined {
  let last: Over | undefined
  for (const budget of standing.isKnown ? PAIR : ALL) {
    const { count = 0, leftMs = 0 } = standing[budget] ?? {}
    const isUsedUp = count + room > budgets[budget].max
    if (isUsedUp && (!last || leftMs > last.leftMs)) last = { budget, leftMs }
  }
  return last
}

const PAIR = ['pair'] as const
const ALL = ['pair', 'account', 'source'] as const

export type BudgetName = (typeof ALL)[number]

/** One event for each budget that this very failure has used up: one a window, however long the flood. */
function announce(
  standing: Partial<Standing>,
  { kind, ip, requestId }: Guess,
  budgets: Budgets,
  recordEvent: RecordEvent,
): void {
  for (const budget of ALL) {
    if (standing[budget]?.count !== budgets[budget].max) continue
    const caused = requestId === undefined ? {} : { requestId }
    recordEvent({ type: 'throttle.exhausted', reason: budget, ip, detail: { kind }, ...caused })
  }
}
