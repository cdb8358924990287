// What every grant is handed besides its own parameters.

import type { Client } from '../clients/client.ts'

/** Where a request came from, as far as the trusted proxies vouch for it. */
export interface Source {
  readonly ip: string
  /** At most 256 characters; empty when there was none. */
  readonly userAgent: string
}

export interface GrantContext {
  /** Authenticated, and allowed to use this grant. */
  readonly client: Client
  readonly source: Source
  /** Aborted when the caller has gone; made when it is asked for, because few grants wait. */
  readonly callerSignal: () => AbortSignal
}
