// Facts about all clients together, because metadata and every answer to a browser need them. Counted
// on with each client that comes or goes, so that a change costs the same however many there are.

import type { Client } from './client.ts'

/** The maps follow later changes; the object is another one after each change. */
export interface ClientOverview {
  readonly count: number
  /** How many list each grant; one that nobody lists is not in it. */
  readonly grantCounts: ReadonlyMap<string, number>
  /** How many prove themselves, or what they present, by a certificate. */
  readonly certificateCount: number
  /** Every scope that some public client has, in the order of their code units. */
  readonly publicScopes: readonly string[]
  /** Every origin that clients list, and whether one of them has its tokens in cookies. */
  readonly origins: ReadonlyMap<string, { readonly hasCookies: boolean }>
}

const CERTIFICATE_METHODS: readonly string[] = ['tls_client_auth', 'self_signed_tls_client_auth']

export interface ClientTally {
  add(client: Client): void
  /** Takes out a client that was added. */
  remove(client: Client): void
  overview(): ClientOverview
}

export function openClientTally(): ClientTally {
  const grants = openCounter()
  const scopes = openCounter()
  const origins = openCounter()
  const cookieOrigins = openCounter()
  const originUses = new Map<string, { readonly hasCookies: boolean }>()
  let count = 0
  let certificateCount = 0
  let publicScopes: readonly string[] | undefined
  let overview: ClientOverview | undefined

  function countOrigin(origin: string, isCookie: boolean, step: 1 | -1): void {
    origins.move(origin, step)
    if (isCookie) cookieOrigins.move(origin, step)
    const hasCookies = cookieOrigins.counts.has(origin)
    if (!origins.counts.has(origin)) originUses.delete(origin)
    else if (originUses.get(origin)?.hasCookies !== hasCookies)
      originUses.set(origin, { hasCookies })
  }

  function move(client: Client, step: 1 | -1): void {
    count += step
    if (usesCertificates(client)) certificateCount += step
    overview = undefined
    for (const name of client.grantTypes) grants.move(name, step)
    for (const scope of client.type === 'public' ? client.scopes : []) {
      if (scopes.move(scope, step)) publicScopes = undefined
    }
    const isCookie = client.tokenDelivery === 'cookie'
    for (const origin of client.allowedOrigins) countOrigin(origin, isCookie, step)
  }

  return {
    add: (client) => move(client, 1),
    remove: (client) => move(client, -1),
    overview() {
      publicScopes ??= [...scopes.counts.keys()].sort()
      overview ??= {
        count,
        grantCounts: grants.counts,
        certificateCount,
        publicScopes,
        origins: originUses,
      }
      return overview
    },
  }
}

function usesCertificates(client: Client): boolean {
  return (
    client.tlsClientCertificateBoundAccessTokens ||
    client.authMethods.some((method) => CERTIFICATE_METHODS.includes(method))
  )
}

function openCounter() {
  const counts = new Map<string, number>()
  return {
    counts: counts as ReadonlyMap<string, number>,
    /** Whether the name came or went by this step. */
    move(name: string, step: 1 | -1): boolean {
      const before = counts.get(name) ?? 0
      if (before + step === 0) counts.delete(name)
      else counts.set(name, before + step)
      return before === 0 || before + step === 0
    },
  }
}
