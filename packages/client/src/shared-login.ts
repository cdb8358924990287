// A login that outlives the process and may be used by many at once: its tokens lie in a store, which is
// read before every refresh, because somebody else may have refreshed meanwhile.

import type { ClientClock } from './client-clock.ts'
import { OAuthResponseError, TokenRequestError } from './client-errors.ts'
import { IssuedToken } from './issued-token.ts'
import type { TokenClient, Wanted } from './token-client.ts'

/** What is kept: secrets all of them. Plain data, so that JSON holds it. */
export interface Credentials {
  readonly refreshToken: string
  readonly accessToken?: string | undefined
  readonly tokenType?: 'Bearer' | 'DPoP' | undefined
  readonly issuedAtMs?: number | undefined
  readonly expiresAtMs?: number | undefined
  readonly scope?: string | undefined
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

/** `isUsual` says that the access token that is kept is such a one as is wanted. */
export function createSharedLogin(
  client: TokenClient,
  store: CredentialsStore,
  clock: ClientClock,
): ObtainFromLogin {
  const exclusively = store.exclusively?.bind(store) ?? ((work) => work())
  /** Were never saved, although the server has replaced what they came from. */
  let unsaved: Credentials | undefined
  let taken: string | undefined
  let queue: Promise<unknown> = Promise.resolve()

  async function load(): Promise<Credentials> {
    if (unsaved) await save(unsaved)
    const found = await store.load()
    if (found?.refreshToken) return found
    throw new TokenRequestError('credentials', 'nobody is logged in')
  }

  async function save(credentials: Credentials): Promise<void> {
    unsaved = credentials
    await store.save(credentials)
    unsaved = undefined
  }

  /**
   * A token that was answered with itself may have a successor by now, where nobody takes turns: that one
   * stays. Presented after the grace, ours would end the login.
   */
  async function isOutdone(kept: Credentials, next: Credentials): Promise<boolean> {
    if (store.exclusively || next.refreshToken !== kept.refreshToken) return false
    const found = await store.load()
    return found !== undefined && found.refreshToken !== kept.refreshToken
  }

  /** The one that is kept, unless it is the one that we have taken before. */
  function takeKept(kept: Credentials): IssuedToken | undefined {
    const { accessToken, tokenType = 'Bearer', issuedAtMs = 0, expiresAtMs = 0 } = kept
    const leftMs = expiresAtMs - clock.nowMs()
    const isWorth = leftMs > (expiresAtMs - issuedAtMs) * WORTH_TAKING
    const isExpected = (tokenType === 'DPoP') === (client.prover !== undefined)
    if (!accessToken || !isWorth || !isExpected || accessToken === taken) return undefined
    return new IssuedToken({ ...kept, accessToken, tokenType, issuedAtMs, expiresAtMs })
  }

  async function refresh(wanted: Wanted, isUsual: boolean): Promise<IssuedToken> {
    for (let round = 1; ; round += 1) {
      const kept = await load()
      const found = isUsual ? takeKept(kept) : undefined
      if (found) return found
      try {
        // Without a signal: once it is begun its answer may hold the only refresh token there is.
        const token = await client.refresh(kept.refreshToken, wanted)
        const next = toCredentials(kept, token, isUsual)
        if (!(await isOutdone(kept, next))) await save(next)
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
function toCredentials(kept: Credentials, token: IssuedToken, isUsual: boolean): Credentials {
  const { refreshTokenExpiresAtMs, authorizationExpiresAtMs } = token
  const login = {
    refreshToken: token.refreshToken ?? kept.refreshToken,
    refreshTokenExpiresAtMs: refreshTokenExpiresAtMs ?? kept.refreshTokenExpiresAtMs,
    authorizationExpiresAtMs: authorizationExpiresAtMs ?? kept.authorizationExpiresAtMs,
  }
  if (!isUsual || token.tokenType === 'N_A') return { ...kept, ...login }
  const { accessToken, tokenType, issuedAtMs, expiresAtMs, scope } = token
  return { ...login, accessToken, tokenType, issuedAtMs, expiresAtMs, scope }
}
