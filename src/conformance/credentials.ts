// Whom the suite may act as: clients and a user that exist at the service for being tested.

export interface TestedClient {
  readonly id: string
  /** Absent for a public client. */
  readonly secret?: string
}

export interface Credentials {
  /** Asks for tokens of its own and introspects. */
  readonly confidentialClient?: Required<TestedClient>
  /** Somebody else, with no right to see the others' tokens. */
  readonly otherClient?: Required<TestedClient>
  readonly publicClient?: TestedClient
  /** Logs in where the service has the password grant. */
  readonly user?: { readonly username: string; readonly password: string }
  /** A scope that the clients have; the narrower, the better. */
  readonly scope?: string
  /** A resource that the clients may ask for (RFC 8707). */
  readonly resource?: string
}
