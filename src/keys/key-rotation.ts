// When keys are made and when their rows are deleted: the only place that changes the table. A
// decision made from memory is made again under the lock, since another instance may have acted
// meanwhile.

import type { Act } from '../runtime/act.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { HeldKeys } from './held-keys.ts'
import { type GeneratedKey, generateKey } from './key-material.ts'
import {
  isNothing,
  type KeyPlan,
  planReplacement,
  planSchedule,
  planSuccessors,
  WANTED_EVERY_MS,
} from './key-plan.ts'
import { deleteSigningKeys, insertSigningKey, limitSigningKeys } from './key-rows.ts'
import { findActive, type KeySettings, listRetired, type SigningKey } from './key-states.ts'
import type { SigningAlg } from './signing-algorithms.ts'

/** What an event says of a key. */
export interface KeyName {
  readonly kid: string
  readonly alg: SigningAlg
}

/**
 * Told of the steps of a key's life. Every instance reports that a key became active; the other
 * steps are reported by the instance that made them, with who asked for it, if somebody did.
 */
export type RecordKeyEvent = (
  type: 'key.published' | 'key.activated' | 'key.retired' | 'key.compromised',
  key: KeyName,
  act?: Act,
) => void

export interface KeyRotationOptions extends KeySettings {
  readonly held: HeldKeys
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
  readonly recordKeyEvent: RecordKeyEvent
}

/** All of it rejects with DependencyUnavailable. */
export interface KeyRotation {
  /**
   * Says which algorithms are configured here, and does what schedule and configuration ask for: makes
   * the first keys of all, successors that are due, and ends what no instance has configured any more.
   */
  rotateIfDue(): Promise<void>
  /** Publishes successors now, for those of the algorithms that have none waiting. */
  rotate(algs: readonly SigningAlg[], act?: Act): Promise<ReadonlySet<SigningAlg>>
  /**
   * Replaces every key by fresh ones that are active at once: whoever got at one key, in memory or
   * in the table, got at the others too.
   */
  replaceAll(act?: Act): Promise<ReadonlySet<SigningAlg>>
  deleteRetired(): Promise<void>
  /** Records an event if other keys have become the active ones. */
  announceActive(): void
  /** Takes note of the active ones; another process of this instance records that they are. */
  follow(): void
}

type MakePlan = (keys: readonly SigningKey[], nowMs: number) => KeyPlan

export function openKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { held, signingAlgs, clock, recordKeyEvent } = options
  const nameOf = ({ kid, material: { alg } }: SigningKey): KeyName => ({ kid, alg })
  let activeKids = listActiveKids()
  let wantedAtMs = Number.NEGATIVE_INFINITY

  function listActiveKids(): ReadonlySet<string> {
    return new Set(listActive().map(({ kid }) => kid))
  }

  function listActive(): readonly SigningKey[] {
    const keys = held.keys()
    return keys.filter((key) => findActive(keys, key.material.alg, clock()) === key)
  }

  /** The algorithms of the keys that were made. */
  async function carryOut(makePlan: MakePlan, act?: Act): Promise<ReadonlySet<SigningAlg>> {
    const made = new Map<SigningAlg, GeneratedKey>()
    for (;;) {
      // Outside of the transaction: an RSA key takes longer than one may.
      for (const { alg } of makePlan(held.keys(), clock()).begins) {
        if (!made.has(alg)) made.set(alg, await generateKey(alg))
      }
      const done = await held.change(async (query, keys) => {
        const nowMs = clock()
        const plan = makePlan(keys, nowMs)
        // What other instances did meanwhile may ask for another key.
        if (plan.begins.some(({ alg }) => !made.has(alg))) return undefined
        await deleteSigningKeys(query, plan.replaces)
        await limitSigningKeys(query, plan.limits)
        for (const { alg, activeFromMs } of plan.begins) {
          const generated = made.get(alg)
          if (!generated) continue
          const key = { ...options, generated, publishedAtMs: nowMs, activeFromMs }
          await insertSigningKey(query, key, options.rootSecrets)
        }
        return plan
      })
      if (!done) continue
      if (isNothing(done)) return new Set()
      for (const key of done.replaces) recordKeyEvent('key.compromised', nameOf(key), act)
      for (const { alg } of done.begins) {
        const kid = made.get(alg)?.kid
        if (kid !== undefined) recordKeyEvent('key.published', { kid, alg }, act)
      }
      announceActive()
      return new Set(done.begins.map(({ alg }) => alg))
    }
  }

  const schedule: MakePlan = (keys, nowMs) => planSchedule(keys, nowMs, options)
  const isQuiet = () => isNothing(schedule(held.keys(), clock()))

  function announceActive(): void {
    const before = activeKids
    activeKids = listActiveKids()
    for (const key of listActive()) {
      if (!before.has(key.kid)) recordKeyEvent('key.activated', nameOf(key))
    }
  }

  return {
    async rotateIfDue() {
      const nowMs = clock()
      if (nowMs >= wantedAtMs + WANTED_EVERY_MS) {
        await held.want(signingAlgs, nowMs)
        wantedAtMs = nowMs
      }
      if (isQuiet()) return
      // Reads again before making a key, which is expensive: another instance may have been faster.
      await held.read()
      if (!isQuiet()) await carryOut(schedule)
    },
    rotate: (algs, act) =>
      carryOut((keys, nowMs) => planSuccessors(keys, nowMs, algs, options), act),
    replaceAll: (act) => carryOut((keys, nowMs) => planReplacement(keys, nowMs, options), act),
    async deleteRetired() {
      if (listRetired(held.keys(), clock()).length === 0) return
      const deleted = await held.change(async (query, keys) => {
        const retired = listRetired(keys, clock())
        await deleteSigningKeys(query, retired)
        return retired
      })
      for (const key of deleted) recordKeyEvent('key.retired', nameOf(key))
    },
    announceActive,
    follow() {
      activeKids = listActiveKids()
    },
  }
}
