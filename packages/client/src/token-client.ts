// A client of one token service: each grant is a function that gives one token. Nothing is kept here;
// token-source.ts does that.

import type { Fetch } from './bounded-exchange.ts'
import { type ClientAuth, isByCertificate } from './client-auth.ts'
import { type ClientClock, SYSTEM_CLOCK } from './client-clock.ts'
import { TokenRequestError } from './client-errors.ts'
import { createDpopProver, type DpopInput, type DpopProver } from './dpop-prover.ts'
import { givenUpWith } from './give-up.ts'
import type { IssuedToken } from './issued-token.ts'
import { createRetryBudget } from './retry-budget.ts'
import { readSecret, type SecretSource } from './secret-source.ts'
import { requireSecureUrl } from './secure-url.ts'
import { createMetadataLoader } from './server-metadata.ts'
import { type Parameters, requestToken } from './token-request.ts'

const TIMEOUT_MS = 5_000
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

export interface TokenClientOptions {
  /** Where the endpoint is then comes from its metadata; one of the two is needed. */
  readonly issuer?: string
  readonly tokenEndpoint?: string
  readonly clientId: string
  readonly auth: ClientAuth
  /** Binds every token to a key (RFC 9449). */
  readonly dpop?: DpopInput
  /** Asks for tokens that are bound to the certificate of `fetch`, however the client authenticates. */
  readonly certificateBound?: boolean
  /** In place of the global one: see `createTlsFetch` for a client certificate. */
  readonly fetch?: Fetch
  /** Of one attempt; 5,000. */
  readonly timeoutMs?: number
  /** For plain http beyond this machine, where a mesh encrypts beneath us. */
  readonly allowInsecureHttp?: boolean
  readonly clock?: ClientClock
}

/** What every grant may ask for. */
export interface Wanted {
  readonly scope?: string | undefined
  /** RFC 8707. */
  readonly resource?: string | readonly string[] | undefined
}

export interface ExchangeWanted extends Wanted {
  readonly subjectToken: SecretSource
  /** By default that of an access token, as `actorTokenType`. */
  readonly subjectTokenType?: string
  readonly actorToken?: SecretSource
  readonly actorTokenType?: string
  readonly audience?: string | readonly string[]
  readonly requestedTokenType?: string
}

/** Every function throws OAuthResponseError or TokenRequestError, and the reason of its signal. */
export interface TokenClient {
  /** RFC 6749 §4.4. */
  clientCredentials(wanted?: Wanted, signal?: AbortSignal): Promise<IssuedToken>
  /** RFC 6749 §6. */
  refresh(refreshToken: string, wanted?: Wanted, signal?: AbortSignal): Promise<IssuedToken>
  /** RFC 7523 §2.1. */
  jwtBearer(assertion: SecretSource, wanted?: Wanted, signal?: AbortSignal): Promise<IssuedToken>
  /** RFC 8693. */
  exchange(wanted: ExchangeWanted, signal?: AbortSignal): Promise<IssuedToken>
  readonly prover: DpopProver | undefined
}

export function createTokenClient(options: TokenClientOptions): TokenClient {
  const { issuer, clientId, auth, dpop } = options
  const { clock = SYSTEM_CLOCK, timeoutMs = TIMEOUT_MS } = options
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
  const prover = dpop === undefined ? undefined : createDpopProver(dpop, clock)
  const findEndpoint = openEndpoint(options, fetch, clock)
  const budget = createRetryBudget(clock)
  const settings = { clientId, issuer, auth, fetch, timeoutMs, clock, prover }

  /** The parameters are made for each attempt: an assertion may be good once only. */
  function request(make: () => Promise<Parameters>, signal?: AbortSignal): Promise<IssuedToken> {
    const attempt = async () =>
      await requestToken(settings, await findEndpoint(), await make(), signal)
    return budget.run(() => givenUpWith(signal, attempt()), signal)
  }

  return {
    prover,

    clientCredentials: ({ scope, resource } = {}, signal) =>
      request(async () => ({ grant_type: 'client_credentials', scope, resource }), signal),

    refresh(refreshToken, { scope, resource } = {}, signal) {
      const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken }
      return request(async () => ({ ...parameters, scope, resource }), signal)
    },

    jwtBearer: (assertion, { scope, resource } = {}, signal) =>
      request(
        async () => ({
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: await readSecret(assertion),
          scope,
          resource,
        }),
        signal,
      ),

    exchange: (wanted, signal) => request(() => exchangeParameters(wanted), signal),
  }
}

/** The order of scopes and of resources means nothing: what is equal is spelled alike. */
export function keyOf({ scope, resource }: Wanted): string {
  const resources = typeof resource === 'string' ? [resource] : (resource ?? [])
  return JSON.stringify([scope?.split(' ').sort(), [...resources].sort()])
}

/** RFC 8693 §2.1. */
async function exchangeParameters(wanted: ExchangeWanted): Promise<Parameters> {
  const { subjectToken, actorToken, scope, resource, audience, requestedTokenType } = wanted
  const { subjectTokenType = ACCESS_TOKEN_TYPE, actorTokenType = ACCESS_TOKEN_TYPE } = wanted
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: await readSecret(subjectToken),
    subject_token_type: subjectTokenType,
    ...(actorToken === undefined
      ? {}
      : { actor_token: await readSecret(actorToken), actor_token_type: actorTokenType }),
    scope,
    resource,
    audience,
    requested_token_type: requestedTokenType,
  }
}

function openEndpoint(
  options: TokenClientOptions,
  fetch: Fetch,
  clock: ClientClock,
): () => Promise<string> {
  const { issuer, tokenEndpoint, timeoutMs = TIMEOUT_MS, allowInsecureHttp = false } = options
  if (tokenEndpoint !== undefined) {
    const { href } = requireSecureUrl(tokenEndpoint, allowInsecureHttp)
    return async () => href
  }
  if (issuer === undefined) {
    throw new TokenRequestError('metadata', 'an issuer or a token endpoint has to be given')
  }
  requireSecureUrl(issuer, allowInsecureHttp)
  const load = createMetadataLoader({ issuer, fetch, clock, timeoutMs, allowInsecureHttp })
  const withCertificate = options.certificateBound || isByCertificate(options.auth)
  return async () => {
    const { tokenEndpoint: plain, mtlsTokenEndpoint } = await load()
    return withCertificate ? (mtlsTokenEndpoint ?? plain) : plain
  }
}
