// An act that changes something, as a run kills it over and over.

import type { Random } from '../chaos/random.ts'
import type { OpenedScope } from '../support/scope.ts'
import type { Fuse } from './fuse.ts'
import type { Damage } from './invariants.ts'

export interface Round {
  /** What was killed, in a word or two. */
  readonly killed: string
  readonly damages: readonly Damage[]
}

/** Gives the fuse of a round, for one of the ways in which the act is done: each takes its own time. */
export type FuseOf = (way: string) => Fuse

/**
 * One round: lights the fuse where the act begins, waits until it has blown, does what an operator would,
 * and walks the stores.
 */
export type RunRound = (fuseOf: FuseOf, random: Random) => Promise<Round>

export interface Act {
  /** What is under way when the kill comes, for people. */
  readonly what: string
  /** Of the rounds of a run that names none, how many are of this act. */
  readonly share: number
  open(scope: OpenedScope, random: Random): Promise<RunRound>
}
