// Every trusted issuer, in the memory of this instance, so that requests need no query. The poll
// notices changes made at other instances; this table reloads only when it is told to.

import type { TrustedIssuer } from './trusted-issuer.ts'
import type { TrustedIssuerStore } from './trusted-issuer-store.ts'

export interface TrustedIssuerTable {
  find(id: string): TrustedIssuer | undefined
  /** The one that a token names in `iss`, character by character; a trust domain for SPIFFE. */
  findByIssuer(issuer: string): TrustedIssuer | undefined
  /**
   * Resolves when every change committed before this call is in force here. Rejects with
   * DependencyUnavailable; what is in memory then stays in use.
   */
  reload(): Promise<void>
}

/** Opens an empty table; the first `reload` fills it. */
export function openTrustedIssuerTable(
  store: Pick<TrustedIssuerStore, 'readAll'>,
): TrustedIssuerTable {
  let byId = new Map<string, TrustedIssuer>()
  let byIssuer = new Map<string, TrustedIssuer>()
  let turn: Promise<unknown> = Promise.resolve()

  async function load(): Promise<void> {
    const issuers = await store.readAll()
    byId = new Map(issuers.map((issuer) => [issuer.id, issuer]))
    byIssuer = new Map(issuers.map((issuer) => [issuer.issuer, issuer]))
  }

  return {
    find: (id) => byId.get(id),
    findByIssuer: (issuer) => byIssuer.get(issuer),
    reload() {
      // One after the other, so that what was read later is also held later.
      const done = turn.then(load)
      turn = done.catch(() => {})
      return done
    },
  }
}
