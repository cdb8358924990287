// What all clients together say: computed once for each change of the table, because every answer
// to a browser and the metadata ask for it.

import type { Client } from './client.ts'

export interface ClientOverview {
  readonly count: number
  /** How many may use the password grant. */
  readonly passwordCount: number
  /** Every origin that a client lists, and whether one of those clients has its tokens in cookies. */
  readonly origins: ReadonlyMap<string, { readonly hasCookies: boolean }>
}

export function summarizeClients(clients: Iterable<Client>): ClientOverview {
  const origins = new Map<string, { hasCookies: boolean }>()
  let [count, passwordCount] = [0, 0]
  for (const { grantTypes, allowedOrigins, tokenDelivery } of clients) {
    count += 1
    if (grantTypes.includes('password')) passwordCount += 1
    for (const origin of allowedOrigins) {
      const known = origins.get(origin)
      origins.set(origin, { hasCookies: known?.hasCookies || tokenDelivery === 'cookie' })
    }
  }
  return { count, passwordCount, origins }
}
