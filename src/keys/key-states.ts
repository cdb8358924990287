// A signing key in memory, and its life as pure functions of the rows and the clock: its state is
// computed and never stored (docs/semantics.md §8).

import type { KeyMaterial } from './key-material.ts'
import type { SigningAlg } from './signing-algorithms.ts'

/** `retired` keys are gone for everybody outside; their rows wait to be deleted. */
export type KeyState = 'next' | 'active' | 'retiring' | 'retired'

export interface SigningKey {
  readonly kid: string
  readonly material: KeyMaterial
  readonly publishedAtMs: number
  readonly activeFromMs: number
  /** The longest life of any token that the key may have signed. */
  readonly longestTokenSeconds: number
}

export interface KeyStatus {
  readonly key: SigningKey
  readonly state: KeyState
  /** Undefined until a successor is active. */
  readonly retireAtMs: number | undefined
}

/** A key as the management interface shows it. */
export interface KeyView {
  readonly kid: string
  readonly alg: SigningAlg
  readonly state: Exclude<KeyState, 'retired'>
  readonly publishedAt: string
  readonly activeFrom: string
  readonly retireAt: string | null
}

/** What is configured of the keys. */
export interface KeySettings {
  readonly signingAlg: SigningAlg
  /** The age at which a key is replaced. */
  readonly keyRotationDays: number
  readonly jwksMaxAgeSeconds: number
  /** Where no client has a longer one. */
  readonly accessTokenTtlSeconds: number
}

export interface RotationRules extends Omit<KeySettings, 'accessTokenTtlSeconds'> {
  /** Only a key from before this moment is replaced because of its algorithm. */
  readonly openedAtMs: number
}

/** A margin between the steps of a key's life, because clocks, polls and caches differ. */
const SLACK_SECONDS = 60
const DAY_MS = 24 * 60 * 60 * 1000

/** The key that signs at `nowMs`. `keys` are in the order of `activeFromMs`. */
export function findActive(keys: readonly SigningKey[], nowMs: number): SigningKey | undefined {
  // A first key made by an instance whose clock is ahead of ours has to sign here too.
  return keys.findLast((key) => key.activeFromMs <= nowMs) ?? keys[0]
}

/** Every key with its state at `nowMs`, in the order given: that of `activeFromMs`. */
export function deriveStates(keys: readonly SigningKey[], nowMs: number): readonly KeyStatus[] {
  const active = findActive(keys, nowMs)
  const activeIndex = active ? keys.indexOf(active) : -1
  return keys.map((key, index) => {
    const successor = keys[index + 1]
    if (index > activeIndex) return { key, state: 'next', retireAtMs: undefined }
    if (index === activeIndex || !successor) return { key, state: 'active', retireAtMs: undefined }
    const retireAtMs = successor.activeFromMs + (key.longestTokenSeconds + SLACK_SECONDS) * 1000
    return { key, state: nowMs < retireAtMs ? 'retiring' : 'retired', retireAtMs }
  })
}

/** The keys that JWKS holds and that verify tokens at `nowMs`. */
export function listPublished(keys: readonly SigningKey[], nowMs: number): readonly SigningKey[] {
  return deriveStates(keys, nowMs).flatMap(({ key, state }) => (state === 'retired' ? [] : [key]))
}

/** The keys that nobody needs any more at `nowMs`. */
export function listRetired(keys: readonly SigningKey[], nowMs: number): readonly SigningKey[] {
  return deriveStates(keys, nowMs).flatMap(({ key, state }) => (state === 'retired' ? [key] : []))
}

/** What the management interface lists at `nowMs`, oldest first. */
export function listKeyViews(keys: readonly SigningKey[], nowMs: number): readonly KeyView[] {
  return deriveStates(keys, nowMs).flatMap(({ key, state, retireAtMs }) =>
    state === 'retired'
      ? []
      : [
          {
            kid: key.kid,
            alg: key.material.alg,
            state,
            publishedAt: new Date(key.publishedAtMs).toISOString(),
            activeFrom: new Date(key.activeFromMs).toISOString(),
            retireAt: retireAtMs === undefined ? null : new Date(retireAtMs).toISOString(),
          },
        ],
  )
}

/** The key that is published and waits for its `activeFrom`. */
export function findNext(keys: readonly SigningKey[], nowMs: number): SigningKey | undefined {
  const last = keys.at(-1)
  return last === findActive(keys, nowMs) ? undefined : last
}

/** When a key published at `nowMs` may sign: once no cached JWKS can be without it. */
export function firstSafeUse(nowMs: number, jwksMaxAgeSeconds: number): number {
  return nowMs + (jwksMaxAgeSeconds + SLACK_SECONDS) * 1000
}

/**
 * From when a new key would sign if the schedule asks for one at `nowMs`, else undefined. Only
 * the first key of all signs at once.
 */
export function planRotation(
  keys: readonly SigningKey[],
  nowMs: number,
  rules: RotationRules,
): number | undefined {
  const active = findActive(keys, nowMs)
  if (!active) return nowMs
  if (findNext(keys, nowMs)) return undefined
  const isOld = nowMs >= active.activeFromMs + rules.keyRotationDays * DAY_MS
  // Judged by the start of this instance, so that two instances which are configured differently
  // during a roll-out do not rotate against each other.
  const isOtherAlg =
    active.material.alg !== rules.signingAlg && active.publishedAtMs <= rules.openedAtMs
  return isOld || isOtherAlg ? firstSafeUse(nowMs, rules.jwksMaxAgeSeconds) : undefined
}
