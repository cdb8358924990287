// The issuer's keys, as this process knows them. They are asked for again when they grow old or a token
// names one that is not there, by one request at a time; while the issuer is away the last ones go on.

import { type CryptoKey, importJWK, type JWK } from 'jose'
import { type Fetch, fetchKeySet } from './fetch-key-set.ts'
import { UnavailableError } from './verify-errors.ts'

/** Bounds of what the issuer says of the life of its answer, and what holds where it says nothing. */
const FRESH_MIN_SECONDS = 10
const FRESH_MAX_SECONDS = 3_600
const FRESH_SECONDS = 300
/** From this share of its life on it is asked for beside the callers. */
const AHEAD_SHARE = 0.8
/** After a failure; twice as long after each further one. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 15_000

export interface IssuerKeysSettings {
  readonly jwksUri: string
  readonly fetch: Fetch
  readonly timeoutMs: number
  /** How long after their end keys are still used while they cannot be had again. */
  readonly staleForMs: number
  /** A key that nobody knows is asked for once in this time. */
  readonly unknownKeyPauseMs: number
  readonly nowMs: () => number
}

/** One of its keys; the object is the same for as long as the issuer publishes the same key. */
export interface IssuerKey {
  readonly id: string
  readonly jwk: JWK
  /** For this algorithm. Throws where the key cannot be used for it. */
  open(alg: string): Promise<CryptoKey>
}

export interface IssuerKeys {
  /** Sees to it that the keys are as fresh as can be. Throws UnavailableError when there are none. */
  refresh(): Promise<void>
  /** Those with the kid, all without one; asks for them again when there is none. */
  find(kid: string | undefined): Promise<readonly IssuerKey[]>
  /** Whether the issuer still publishes it, as far as is known. */
  has(key: IssuerKey): boolean
}

export function createIssuerKeys(settings: IssuerKeysSettings): IssuerKeys {
  const { jwksUri, fetch, timeoutMs, staleForMs, unknownKeyPauseMs, nowMs } = settings
  let known: ReadonlyMap<string, IssuerKey> | undefined
  /** When the known ones were asked for. */
  let askedAtMs = Number.NEGATIVE_INFINITY
  let lifeMs = 0
  let failures = 0
  let failedAtMs = Number.NEGATIVE_INFINITY
  let pauseMs = 0
  let lastFailure: unknown
  let askedForUnknownAtMs = Number.NEGATIVE_INFINITY
  let flight: Promise<void> | undefined

  /** By distance, so that a clock set back silences nothing for long. */
  const isWithin = (atMs: number, ms: number) => Math.abs(nowMs() - atMs) < ms

  async function load(): Promise<void> {
    const startedAtMs = nowMs()
    try {
      const { keys, maxAgeSeconds = FRESH_SECONDS } = await fetchKeySet(jwksUri, fetch, timeoutMs)
      const before = known
      const ids = keys.map((jwk) => [JSON.stringify(jwk), jwk] as const)
      known = new Map(ids.map(([id, jwk]) => [id, before?.get(id) ?? openKey(id, jwk)]))
      const seconds = Math.min(FRESH_MAX_SECONDS, Math.max(FRESH_MIN_SECONDS, maxAgeSeconds))
      askedAtMs = startedAtMs
      lifeMs = seconds * 1000
      failures = 0
      pauseMs = 0
    } catch (error) {
      failures += 1
      lastFailure = error
      failedAtMs = nowMs()
      pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
    } finally {
      flight = undefined
    }
  }

  /** Never rejects. */
  function ask(): Promise<void> {
    flight ??= load()
    return flight
  }

  /** Of the known ones. Where the clock was set back nobody knows it: their life is over, no more. */
  function age(): number {
    if (nowMs() < askedAtMs) askedAtMs = nowMs() - lifeMs
    return nowMs() - askedAtMs
  }

  function requireKeys(): void {
    if (known && age() < lifeMs + staleForMs) return
    const seconds = Math.max(1, Math.ceil((pauseMs - Math.abs(nowMs() - failedAtMs)) / 1000))
    const message = known
      ? 'the keys of the issuer are too old, and cannot be had again'
      : 'the keys of the issuer have never been had'
    throw new UnavailableError(message, seconds, lastFailure)
  }

  async function refresh(): Promise<void> {
    const ageMs = age()
    if (known && ageMs < lifeMs * AHEAD_SHARE) return
    if (isWithin(failedAtMs, pauseMs)) return requireKeys()
    // Where the issuer was away a moment ago, nobody waits for it who need not.
    const isAwaited = !known || (ageMs >= lifeMs && failures === 0)
    const asked = ask()
    if (isAwaited || ageMs >= lifeMs + staleForMs) await asked
    requireKeys()
  }

  function search(kid: string | undefined): IssuerKey[] {
    const keys = [...(known?.values() ?? [])]
    return kid === undefined ? keys : keys.filter(({ jwk }) => jwk.kid === kid)
  }

  return {
    refresh,

    async find(kid) {
      await refresh()
      const found = search(kid)
      const isPaused =
        isWithin(failedAtMs, pauseMs) || isWithin(askedForUnknownAtMs, unknownKeyPauseMs)
      if (found.length > 0 || (isPaused && !flight)) return found
      if (!flight) askedForUnknownAtMs = nowMs()
      await ask()
      return search(kid)
    },

    has: (key) => known?.get(key.id) === key,
  }
}

function openKey(id: string, jwk: JWK): IssuerKey {
  const opened = new Map<string, Promise<CryptoKey>>()
  return {
    id,
    jwk,
    open(alg) {
      // A handful: whoever asks has looked into the list of allowed ones.
      const key = opened.get(alg) ?? importJWK(jwk, alg).then((found) => found as CryptoKey)
      opened.set(alg, key)
      return key
    },
  }
}
