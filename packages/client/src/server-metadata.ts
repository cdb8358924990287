// Where the token endpoint of an issuer is, by its metadata (RFC 8414): asked for once an hour, and kept
// while the issuer is away.

import { exchangeJson, type Fetch } from './bounded-exchange.ts'
import { type ClientClock, isWithin } from './client-clock.ts'
import { TokenRequestError } from './client-errors.ts'
import { requireSecureUrl } from './secure-url.ts'

const FRESH_MS = 3_600_000
/** While it cannot be had again the last one is used, and it is asked for this seldom. */
const RETRY_MS = 30_000
const MAX_BYTES = 262_144

export interface TokenEndpoints {
  readonly tokenEndpoint: string
  /** Where clients with a certificate go (RFC 8705 §5); undefined where there is no other place. */
  readonly mtlsTokenEndpoint: string | undefined
}

export interface MetadataSettings {
  readonly issuer: string
  readonly fetch: Fetch
  readonly clock: ClientClock
  readonly timeoutMs: number
  readonly allowInsecureHttp: boolean
}

/** Resolves with what the issuer says now or said last. Throws TokenRequestError when it never did. */
export type LoadEndpoints = () => Promise<TokenEndpoints>

export function createMetadataLoader(settings: MetadataSettings): LoadEndpoints {
  const { clock } = settings
  let known: { readonly endpoints: TokenEndpoints; atMs: number; freshMs: number } | undefined
  let flight: Promise<TokenEndpoints> | undefined

  async function load(): Promise<TokenEndpoints> {
    try {
      const endpoints = await fetchEndpoints(settings)
      known = { endpoints, atMs: clock.nowMs(), freshMs: FRESH_MS }
      return endpoints
    } catch (error) {
      if (!known) throw error
      known.atMs = clock.nowMs()
      known.freshMs = RETRY_MS
      return known.endpoints
    } finally {
      flight = undefined
    }
  }

  return async () => {
    if (known && isWithin(clock, known.atMs, known.freshMs)) return known.endpoints
    flight ??= load()
    return await flight
  }
}

async function fetchEndpoints(settings: MetadataSettings): Promise<TokenEndpoints> {
  const { issuer, fetch, clock, timeoutMs, allowInsecureHttp } = settings
  const { origin, pathname } = requireSecureUrl(issuer, allowInsecureHttp)
  const path = pathname === '/' ? '' : pathname
  const url = `${origin}/.well-known/oauth-authorization-server${path}`
  const exchange = { fetch, timeoutMs, maxBytes: MAX_BYTES, nowMs: clock.nowMs }
  const { status, json, retryAfterSeconds } = await exchangeJson(url, {}, exchange)
  if (status !== 200 || !json) {
    const code = status === 429 || status >= 500 ? 'unavailable' : 'metadata'
    const message = `the metadata of the issuer cannot be read: ${status}`
    throw new TokenRequestError(code, message, { retryAfterSeconds })
  }
  // RFC 8414 §3.3: otherwise another server could answer in its place.
  if (json.issuer !== issuer) {
    throw new TokenRequestError('metadata', 'the metadata is of another issuer')
  }
  const aliases = json.mtls_endpoint_aliases as { token_endpoint?: unknown } | undefined
  const check = (found: unknown) => requireSecureUrl(String(found), allowInsecureHttp).href
  if (typeof json.token_endpoint !== 'string') {
    throw new TokenRequestError('metadata', 'the metadata names no token endpoint')
  }
  return {
    tokenEndpoint: check(json.token_endpoint),
    mtlsTokenEndpoint: aliases?.token_endpoint ? check(aliases.token_endpoint) : undefined,
  }
}
