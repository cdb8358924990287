// The tokens of one client, kept for whoever in the process needs them: one for each scope and resource.

import { SYSTEM_CLOCK } from './client-clock.ts'
import type { IssuedToken } from './issued-token.ts'
import { createResourceFetch, type ResourceFetch } from './resource-fetch.ts'
import type { SecretSource } from './secret-source.ts'
import { type CredentialsStore, createSharedLogin } from './shared-login.ts'
import {
  createTokenClient,
  type ExchangeWanted,
  keyOf,
  type TokenClient,
  type TokenClientOptions,
  type Wanted,
} from './token-client.ts'
import { createTokenSlot, type TokenSlot } from './token-slot.ts'

/** Kinds of tokens at a time; the one that was used longest ago makes room. */
const SLOTS_MAX = 100

export type SourceGrant =
  /** The default. */
  | { readonly type: 'client_credentials' }
  /** A login that is kept somewhere, and may be shared with other processes. */
  | { readonly type: 'refresh_token'; readonly credentials: CredentialsStore }
  | { readonly type: 'jwt_bearer'; readonly assertion: SecretSource }
  /** Scope and resource are those of the source. */
  | { readonly type: 'token_exchange'; readonly exchange: Omit<ExchangeWanted, keyof Wanted> }

export interface TokenSourceOptions extends TokenClientOptions, Wanted {
  readonly grant?: SourceGrant
}

/** Overrides what the source was made with. */
export interface TokenCall extends Wanted {
  readonly signal?: AbortSignal | undefined
}

export interface TokenSource {
  /**
   * A token that is good for some time yet. Throws OAuthResponseError or TokenRequestError, and the
   * reason of the signal, which ends this call alone while others wait as well.
   */
  getToken(call?: TokenCall): Promise<IssuedToken>
  /**
   * `fetch` with the token of the source, and with a proof where it is bound to a key. A 401 is met once
   * with a new token, a demand for a nonce once with the nonce, where the body can be sent again.
   */
  readonly fetch: ResourceFetch
  /** The same client without the cache. */
  readonly client: TokenClient
}

export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const client = createTokenClient(options)
  const { clock = SYSTEM_CLOCK } = options
  const defaults: Wanted = { scope: options.scope, resource: options.resource }
  const obtain = openGrant(client, options, defaults)
  const slots = new Map<string, TokenSlot>()

  function slotFor(wanted: Wanted): TokenSlot {
    const key = keyOf(wanted)
    const slot =
      slots.get(key) ??
      createTokenSlot((signal) => obtain({ ...defaults, ...wanted }, signal), clock)
    slots.delete(key)
    slots.set(key, slot)
    const [oldest] = slots.keys()
    if (slots.size > SLOTS_MAX && oldest !== undefined) slots.delete(oldest)
    return slot
  }

  return {
    client,
    getToken: async ({ signal, ...wanted } = {}) => await slotFor(stated(wanted)).get(signal),
    fetch: createResourceFetch({
      prover: client.prover,
      fetch: options.fetch,
      allowInsecureHttp: options.allowInsecureHttp ?? false,
      getToken: (wanted, signal) => slotFor(stated(wanted)).get(signal),
      discard: (wanted, token) => slotFor(stated(wanted)).discard(token),
    }),
  }
}

type Obtain = (wanted: Wanted, signal: AbortSignal) => Promise<IssuedToken>

function openGrant(
  client: TokenClient,
  { grant = { type: 'client_credentials' }, clock = SYSTEM_CLOCK }: TokenSourceOptions,
  defaults: Wanted,
): Obtain {
  switch (grant.type) {
    case 'client_credentials':
      return (wanted, signal) => client.clientCredentials(wanted, signal)
    case 'jwt_bearer':
      return (wanted, signal) => client.jwtBearer(grant.assertion, wanted, signal)
    case 'token_exchange':
      return (wanted, signal) => client.exchange({ ...grant.exchange, ...wanted }, signal)
    case 'refresh_token': {
      const login = createSharedLogin(client, grant.credentials, clock)
      const usual = keyOf(defaults)
      return (wanted) => login(wanted, keyOf(wanted) === usual)
    }
  }
}

/** What is undefined overrides nothing. */
function stated(wanted: Wanted): Wanted {
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
}
