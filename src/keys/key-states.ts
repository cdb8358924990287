// A signing key in memory, and its life as pure functions of the rows and the clock: its state is
// computed and never stored (docs/semantics.md §8). The keys of one algorithm succeed each other; those
// of another have no say in it. Keys are always in the order of `activeFromMs`.

import type { KeyMaterial } from './key-material.ts'
import type { SigningAlg, SigningAlgs } from './signing-algorithms.ts'

/** `retired` keys are gone for everybody outside; their rows wait to be deleted. */
export type KeyState = 'next' | 'active' | 'retiring' | 'retired'

export interface SigningKey {
  readonly kid: string
  readonly material: KeyMaterial
  readonly publishedAtMs: number
  readonly activeFromMs: number
  /** When it ends without a successor, because its algorithm is given up; undefined if it is not. */
  readonly signsUntilMs: number | undefined
  /** When an instance last said that its algorithm is configured there. */
  readonly wantedAtMs: number
  /** The longest life of any token that the key may have signed. */
  readonly longestTokenSeconds: number
}

export interface KeyStatus {
  readonly key: SigningKey
  readonly state: KeyState
  /** Undefined until it signs no more. */
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
  readonly signingAlgs: SigningAlgs
  /** The age at which a key is replaced. */
  readonly keyRotationDays: number
  readonly jwksMaxAgeSeconds: number
  /** Where no client has a longer one. */
  readonly accessTokenTtlSeconds: number
}

/** A margin between the steps of a key's life, because clocks, polls and caches differ. */
const SLACK_SECONDS = 60

/** The key that signs with `alg` at `nowMs`, if there is one. */
export function findActive(
  keys: readonly SigningKey[],
  alg: string,
  nowMs: number,
): SigningKey | undefined {
  const atMs = atLeastFirst(keys, nowMs)
  const newest = keys.findLast((key) => key.material.alg === alg && key.activeFromMs <= atMs)
  const { signsUntilMs = Number.POSITIVE_INFINITY } = newest ?? {}
  return atMs < signsUntilMs ? newest : undefined
}

/**
 * The key that signs at `nowMs` for whoever asks for `alg`; null asks for nothing. Where none of that
 * algorithm may sign yet or any more, it is one of the configured in their order, else the newest.
 */
export function findSigner(
  keys: readonly SigningKey[],
  alg: string | null,
  configured: SigningAlgs,
  nowMs: number,
): SigningKey | undefined {
  const asked = alg === null ? undefined : findActive(keys, alg, nowMs)
  if (asked) return asked
  for (const other of configured) {
    const key = findActive(keys, other, nowMs)
    if (key) return key
  }
  return keys.findLast((key) => findActive(keys, key.material.alg, nowMs) === key)
}

/** Every key with its state at `nowMs`, in the order given. */
export function deriveStates(keys: readonly SigningKey[], nowMs: number): readonly KeyStatus[] {
  const atMs = atLeastFirst(keys, nowMs)
  return keys.map((key, index) => {
    if (key.activeFromMs > atMs) return { key, state: 'next', retireAtMs: undefined }
    const endMs = Math.min(
      findSuccessor(keys, index)?.activeFromMs ?? Number.POSITIVE_INFINITY,
      key.signsUntilMs ?? Number.POSITIVE_INFINITY,
    )
    if (atMs < endMs) return { key, state: 'active', retireAtMs: undefined }
    const retireAtMs = endMs + (key.longestTokenSeconds + SLACK_SECONDS) * 1000
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

/** What the management interface lists at `nowMs`, by publication, oldest first. */
export function listKeyViews(keys: readonly SigningKey[], nowMs: number): readonly KeyView[] {
  const views = deriveStates(keys, nowMs).flatMap(({ key, state, retireAtMs }) =>
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
  return views.sort((one, other) => Date.parse(one.publishedAt) - Date.parse(other.publishedAt))
}

/** The last key of `alg`, whether it signs already or not. */
export function findNewest(keys: readonly SigningKey[], alg: string): SigningKey | undefined {
  return keys.findLast((key) => key.material.alg === alg)
}

/** The key of `alg` that is published and waits for its `activeFrom`. */
export function findNext(
  keys: readonly SigningKey[],
  alg: string,
  nowMs: number,
): SigningKey | undefined {
  const newest = findNewest(keys, alg)
  return newest && newest.activeFromMs > atLeastFirst(keys, nowMs) ? newest : undefined
}

/** When a key published at `nowMs` may sign: once no cached JWKS can be without it. */
export function firstSafeUse(nowMs: number, jwksMaxAgeSeconds: number): number {
  return nowMs + (jwksMaxAgeSeconds + SLACK_SECONDS) * 1000
}

// First keys made by an instance whose clock is ahead of ours have to sign here too.
function atLeastFirst(keys: readonly SigningKey[], nowMs: number): number {
  return Math.max(nowMs, keys[0]?.activeFromMs ?? nowMs)
}

function findSuccessor(keys: readonly SigningKey[], index: number): SigningKey | undefined {
  const alg = keys[index]?.material.alg
  return keys.find((other, at) => at > index && other.material.alg === alg)
}
