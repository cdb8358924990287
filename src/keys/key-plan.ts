// What is to be done about the keys at a moment, decided from the rows and the configuration alone
// (docs/semantics.md §8). Pure: key-rotation.ts carries it out.

import {
  findNewest,
  findNext,
  firstSafeUse,
  type KeySettings,
  listPublished,
  type SigningKey,
} from './key-states.ts'
import type { SigningAlg } from './signing-algorithms.ts'

export type PlanRules = Omit<KeySettings, 'accessTokenTtlSeconds'>

export interface KeyPlan {
  readonly replaces: readonly SigningKey[]
  /** The keys whose end is set, or taken back where it is undefined. */
  readonly limits: readonly { readonly kid: string; readonly signsUntilMs: number | undefined }[]
  /** The keys to make: of which algorithm, and from when they sign. */
  readonly begins: readonly { readonly alg: SigningAlg; readonly activeFromMs: number }[]
}

const DAY_MS = 24 * 60 * 60 * 1000
/** How often an instance says which algorithms are configured there. */
export const WANTED_EVERY_MS = 60_000
/** An algorithm that no instance has named for this long is given up. */
export const LEFT_AFTER_MS = 15 * 60_000

/**
 * What the schedule and the configuration ask for at `nowMs`. Of all there is, only the very first keys
 * sign at once. Instances that are configured differently do not undo what the others do: an algorithm
 * goes on for as long as one of them has it.
 */
export function planSchedule(
  keys: readonly SigningKey[],
  nowMs: number,
  rules: PlanRules,
): KeyPlan {
  const { signingAlgs, jwksMaxAgeSeconds } = rules
  // A key that is not published any more cannot be taken up again.
  const published = listPublished(keys, nowMs)
  const isFirst = published.length === 0
  const activeFromMs = isFirst ? nowMs : firstSafeUse(nowMs, jwksMaxAgeSeconds)
  const begins = signingAlgs
    .filter((alg) => isDue(findNewest(published, alg), nowMs, rules))
    .map((alg) => ({ alg, activeFromMs }))
  const kept = signingAlgs.flatMap((alg) => findNewest(published, alg) ?? [])
  // Not before one of ours can sign in its place.
  const endsMs = Math.max(activeFromMs, ...kept.map((key) => key.activeFromMs))
  const ends = listLeft(published, nowMs, rules).map((key) => ({
    kid: key.kid,
    signsUntilMs: Math.max(endsMs, key.activeFromMs),
  }))
  return { replaces: [], limits: [...kept.flatMap(takeBackEnd), ...ends], begins }
}

/** A successor for each of `algs` that has none waiting. */
export function planSuccessors(
  keys: readonly SigningKey[],
  nowMs: number,
  algs: readonly SigningAlg[],
  { jwksMaxAgeSeconds }: PlanRules,
): KeyPlan {
  const activeFromMs = firstSafeUse(nowMs, jwksMaxAgeSeconds)
  const published = listPublished(keys, nowMs)
  const due = algs.filter((alg) => !findNext(keys, alg, nowMs))
  return {
    replaces: [],
    limits: due.flatMap((alg) => takeBackEnd(findNewest(published, alg))),
    begins: due.map((alg) => ({ alg, activeFromMs })),
  }
}

/** Fresh keys that sign at once in place of all, also for algorithms that only other instances have. */
export function planReplacement(
  keys: readonly SigningKey[],
  nowMs: number,
  { signingAlgs }: PlanRules,
): KeyPlan {
  const others = keys.filter((key) => isOpen(key, keys)).map(({ material }) => material.alg)
  const algs = new Set([...signingAlgs, ...others])
  const begins = [...algs].map((alg) => ({ alg, activeFromMs: nowMs }))
  return { replaces: keys, limits: [], begins }
}

export function isNothing({ replaces, limits, begins }: KeyPlan): boolean {
  return replaces.length + limits.length + begins.length === 0
}

function isDue(
  newest: SigningKey | undefined,
  nowMs: number,
  { keyRotationDays }: PlanRules,
): boolean {
  return !newest || nowMs >= newest.activeFromMs + keyRotationDays * DAY_MS
}

function takeBackEnd(newest: SigningKey | undefined): KeyPlan['limits'] {
  return newest?.signsUntilMs === undefined ? [] : [{ kid: newest.kid, signsUntilMs: undefined }]
}

/** The newest key of every algorithm that no instance has configured any more. */
function listLeft(
  published: readonly SigningKey[],
  nowMs: number,
  { signingAlgs }: PlanRules,
): readonly SigningKey[] {
  return published.filter(
    (key) =>
      !signingAlgs.includes(key.material.alg) &&
      isOpen(key, published) &&
      nowMs >= key.wantedAtMs + LEFT_AFTER_MS,
  )
}

/** Whether it is the newest of an algorithm that is not given up. */
function isOpen(key: SigningKey, keys: readonly SigningKey[]): boolean {
  return key.signsUntilMs === undefined && key === findNewest(keys, key.material.alg)
}
