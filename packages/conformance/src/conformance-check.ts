// What one row of the checklist is here: its words, what it needs, and how it is looked at from
// outside. A check returns when the row holds and throws when it does not.

import type { TestedService } from './tested-service.ts'

export type Level = 'MUST' | 'SHOULD' | 'MAY' | 'product'

interface Row {
  /** The number in the checklist, such as `C49`. */
  readonly row: string
  /** `product` marks what no standard asks for: a promise that Lineage makes. */
  readonly level: Level
  readonly sentence: string
}

/** A row that can be seen from outside. */
export interface VisibleRow extends Row {
  /** What must be on or given; the first that is missing is why the row is skipped. */
  readonly needs: readonly Need[]
  /**
   * The order among rows that flood, lowest first; those without a number come last, because they
   * leave the service throttling.
   */
  readonly floodTurn?: number
  /** Runs after all rows that flood nothing, because its many wrong guesses may get it throttled. */
  readonly guesses?: true
  /** Throws CheckFailure or NotApplicable. */
  readonly run: (service: TestedService) => Promise<void>
}

/** A row that nobody can see from outside, or that this suite does not look at: why. */
export interface UnseenRow extends Row {
  readonly unseen: string
}

export type Check = VisibleRow | UnseenRow

/** Why a check cannot be made of this service with what it was given; undefined when it can. */
export type Need = (service: TestedService) => string | undefined

/** The row does not hold. The message says what was seen and holds no token and no secret. */
export class CheckFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CheckFailure'
  }
}

/** What the row speaks of is not there to be looked at: found out only while looking. */
export class NotApplicable extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'NotApplicable'
  }
}

/** Throws CheckFailure with `message`, which says what was seen, unless the condition holds. */
export function expect(condition: unknown, message: string): asserts condition {
  if (!condition) throw new CheckFailure(message)
}
