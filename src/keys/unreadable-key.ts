// The one error for a row of the table that does not give a key.

/** For the operator to mend: a root secret was removed too early, or the row was altered. */
export class UnreadableKey extends Error {
  constructor(kid: string, detail: string) {
    super(`signing key ${kid} cannot be read: ${detail}`)
    this.name = 'UnreadableKey'
  }
}
