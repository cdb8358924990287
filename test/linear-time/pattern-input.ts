// What is listed of the regular expressions that see input.

/** What is sent: a beginning, what is repeated, an end that makes the match fail late. */
export type Attack = readonly [start: string, pump: string, end: string]

/** Expressions that see one kind of input. */
export interface PatternInput {
  readonly what: string
  /** The longest that it can be, and where the code says so. */
  readonly bound: {
    readonly bytes: number
    readonly where: string
    /** A piece of that file. */
    readonly says: string
  }
  /** By the pattern as it is written. */
  readonly patterns: Readonly<Record<string, readonly Attack[]>>
}
