// The port behind which uses are counted of foreign tokens that may be used more than once, and it is remembered
// where the first use came from. They are kept where the families are, one short record for each holder of tokens.

export interface TokenUse {
  /** Of this holder so far, this one included. */
  readonly count: number
  /** Whether it comes from another source than the first one did. */
  readonly isElsewhere: boolean
}

export interface TokenUses {
  /**
   * Counts a use of what `id` names; atomic. It is remembered until the latest `untilMs` of its uses. `group`
   * tells issuers apart. Rejects with DependencyUnavailable: what cannot be counted is not let in.
   */
  count(group: string, id: string, source: string, untilMs: number): Promise<TokenUse>
}
