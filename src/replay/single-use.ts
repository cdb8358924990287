// The port behind which it is remembered what may be used once: ids of assertions and of proofs. They are
// kept where the families are, so that all instances share them and a restart forgets none.

export interface SingleUse {
  /**
   * Whether this is the first use of the id, which is remembered until `untilMs`; atomic. `group` tells kinds of
   * ids and their senders apart. Rejects with DependencyUnavailable: nothing is let in by a guess. Throws
   * RangeError for a moment more than a day ahead, which the caller has refused before.
   */
  take(group: string, id: string, untilMs: number): Promise<boolean>
}
