// Facts about all clients together, computed once for each change of the table, because metadata
// and every answer to a browser need them.

import type { Client } from './client.ts'

export interface ClientOverview {
  readonly count: number
  /** How many list each grant; one that nobody lists is not in it. */
  readonly grantCounts: ReadonlyMap<string, number>
  /** Every scope that some public client has, in the order of their code units. */
  readonly publicScopes: readonly string[]
  /** Every origin that clients list, and whether one of them has its tokens in cookies. */
  readonly origins: ReadonlyMap<string, { readonly hasCookies: boolean }>
}

export function summarizeClients(clients: Iterable<Client>): ClientOverview {
  const origins = new Map<string, { hasCookies: boolean }>()
  const publicScopes = new Set<string>()
  const grantCounts = new Map<string, number>()
  let count = 0
  for (const { type, grantTypes, scopes, allowedOrigins, tokenDelivery } of clients) {
    count += 1
    for (const name of grantTypes) grantCounts.set(name, (grantCounts.get(name) ?? 0) + 1)
    if (type === 'public') for (const scope of scopes) publicScopes.add(scope)
    for (const origin of allowedOrigins) {
      const known = origins.get(origin)
      origins.set(origin, { hasCookies: known?.hasCookies || tokenDelivery === 'cookie' })
    }
  }
  return { count, grantCounts, publicScopes: [...publicScopes].sort(), origins }
}
