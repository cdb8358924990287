// A login that outlives the process and may be used by many at once: its tokens lie in a store, which is
// read before every refresh, because somebody else may have refreshed meanwhile.

import type { ClientClock } from './client-clock.ts'
import { OAuthResponseError, TokenRequestError } from './client-errors.ts'
import { IssuedToken } from './issued-token.ts'
import { keyOf, type TokenClient, type Wanted } from './token-client.ts'

/** What is kept: secrets all of them. Plain data, so that JSON holds it. */
export interface Credentials {
  readonly refreshToken: string
  readonly accessToken?: string | undefined
  readonly tokenType?: 'Bearer' | 'DPoP' | undefined
  readonly issuedAtMs?: number | undefined
  readonly expiresAtMs?: number | undefined
  readonly scope?: string | undefined
  /** The scope and resource that the access token was asked for with, in one spelling. */
  readonly wanted?: string | undefined
  /** Of the key that the access token is bound to (RFC 7638). */
  readonly keyThumbprint?: string | undefined
  readonly refreshTokenExpiresAtMs?: number | undefined
  readonly authorizationExpiresAtMs?: number | undefined
}

export interface CredentialsStore {
  /** Undefined where nobody is logged in. */
  load(): Promise<Credentials | undefined>
  /** Puts all of it in place at once. */
  save(credentials: Credentials): Promise<void>
  /** Runs the work while no other process does, where the store can. */
  exclusively?<T>(work: () => Promise<T>): Promise<T>
}

export type ObtainFromLogin = (wanted: Wanted, isUsual: boolean) => Promise<IssuedToken>

/** How often a refresh is tried whose token somebody else has replaced meanwhile. */
const ROUNDS = 3
/** Somebody else's access token is taken while this share of its life is left. */
const WORTH_TAKING = 0.25

/** `isUsual` says that the access token is worth keeping; others of this login ask for the same. */
export function createSharedLogin(
  client: TokenClient,
  store: CredentialsStore,
  clock: ClientClock,
): ObtainFromLogin {
  const exclusively = store.exclusively?.bind(store) ?? ((work) => work())
  /** What a refresh token was replaced by, until it is saved. */
  let unsaved: { readonly from: string; readonly credentials: Credentials } | undefined
  let taken: string | undefined
  let queue: Promise<unknown> = Promise.resolve()

  /**
   * What the store has, with what was never saved. That replaces the very token it came from: whoever
   * has logged in anew or refreshed meanwhile keeps his own, and ours, presented after the grace, would
   * end the login.
   */
  async function settle(): Promise<Credentials | undefined> {
    const found = await store.load()
    const waiting = unsaved
    const isDue = waiting !== undefined && found?.refreshToken === waiting.from
    if (isDue) await store.save(waiting.credentials)
    unsaved = undefined
    return isDue ? waiting.credentials : found
  }

  async function load(): Promise<Credentials> {
    const found = await settle()
    if (found?.refreshToken) return found
    throw new TokenRequestError('credentials', 'nobody is logged in')
  }

  /** The one that is kept, if it is such as is wanted, and not the one that we have taken before. */
  async function takeKept(kept: Credentials, wanted: Wanted): Promise<IssuedToken | undefined> {
    const { accessToken, tokenType = 'Bearer', issuedAtMs = 0, expiresAtMs = 0 } = kept
    const leftMs = expiresAtMs - clock.nowMs()
    const isWorth = leftMs > (expiresAtMs - issuedAtMs) * WORTH_TAKING
    if (!accessToken || !isWorth || accessToken === taken) return undefined
    if (kept.wanted !== keyOf(wanted)) return undefined
    if (kept.keyThumbprint !== (await client.prover?.thumbprint())) return undefined
    return new IssuedToken({ ...kept, accessToken, tokenType, issuedAtMs, expiresAtMs })
  }

  async function refresh(wanted: Wanted, isUsual: boolean): Promise<IssuedToken> {
    for (let round = 1; ; round += 1) {
      const kept = await load()
      const found = isUsual ? await takeKept(kept, wanted) : undefined
      if (found) return found
      try {
        // Without a signal: once it is begun its answer may hold the only refresh token there is.
        const token = await client.refresh(kept.refreshToken, wanted)
        const keyThumbprint = await client.prover?.thumbprint()
        const made = isUsual ? { wanted: keyOf(wanted), keyThumbprint } : undefined
        unsaved = { from: kept.refreshToken, credentials: toCredentials(kept, token, made) }
        await settle()
        return token
      } catch (error) {
        const isReplaced =
          error instanceof OAuthResponseError &&
          error.error === 'invalid_grant' &&
          (await store.load())?.refreshToken !== kept.refreshToken
        if (!isReplaced || round === ROUNDS) throw error
      }
    }
  }

  async function obtain(wanted: Wanted, isUsual: boolean): Promise<IssuedToken> {
    const token = await exclusively(() => refresh(wanted, isUsual))
    if (isUsual) taken = token.accessToken
    return token
  }

  // One after the other in this process: two refreshes of one login at a time would race.
  return (wanted, isUsual) => {
    const turn = queue.then(() => obtain(wanted, isUsual))
    queue = turn.catch(() => {})
    return turn
  }
}

/** Of a narrower access token only the refresh token is kept. */
function toCredentials(
  kept: Credentials,
  token: IssuedToken,
  made: Pick<Credentials, 'wanted' | 'keyThumbprint'> | undefined,
): Credentials {
  const { refreshTokenExpiresAtMs, authorizationExpiresAtMs } = token
  const login = {
    refreshToken: token.refreshToken ?? kept.refreshToken,
    refreshTokenExpiresAtMs: refreshTokenExpiresAtMs ?? kept.refreshTokenExpiresAtMs,
    authorizationExpiresAtMs: authorizationExpiresAtMs ?? kept.authorizationExpiresAtMs,
  }
  if (!made || token.tokenType === 'N_A') return { ...kept, ...login }
  const { accessToken, tokenType, issuedAtMs, expiresAtMs, scope } = token
  return { ...login, ...made, accessToken, tokenType, issuedAtMs, expiresAtMs, scope }
}
