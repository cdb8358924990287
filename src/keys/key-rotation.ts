// When keys are made and when their rows are deleted: the only place that changes the table. A
// decision made from memory is made again under the lock, since another instance may have acted
// meanwhile.

import type { Act } from '../runtime/act.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { HeldKeys } from './held-keys.ts'
import { generateKey } from './key-material.ts'
import { deleteSigningKeys, insertSigningKey } from './key-rows.ts'
import {
  findActive,
  findNext,
  firstSafeUse,
  type KeySettings,
  listRetired,
  planRotation,
  type SigningKey,
} from './key-states.ts'

/**
 * Told of the steps of a key's life. Every instance reports that a key became active; the other
 * steps are reported by the instance that made them, with who asked for it, if somebody did.
 */
export type RecordKeyEvent = (
  type: 'key.published' | 'key.activated' | 'key.retired' | 'key.compromised',
  kid: string,
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
  /** Makes the first key of all, or a successor when one is due. */
  rotateIfDue(): Promise<void>
  /** Publishes a successor now; false when one waits already. */
  rotate(act?: Act): Promise<boolean>
  /**
   * Replaces every key by a fresh one that is active at once: whoever got at one key, in memory or
   * in the table, got at the others too. Always true.
   */
  replaceAll(act?: Act): Promise<boolean>
  deleteRetired(): Promise<void>
  /** Records an event if another key has become the active one. */
  announceActive(): void
  /** Takes note of the active one; another process of this instance records that it is. */
  follow(): void
}

/**
 * Decides by the present keys whether a new one is made, and from when it signs; undefined if not.
 */
type Plan = (
  keys: readonly SigningKey[],
  nowMs: number,
) => { readonly activeFromMs: number; readonly replaces: readonly SigningKey[] } | undefined

export function openKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { held, rootSecrets, signingAlg, accessTokenTtlSeconds, clock, recordKeyEvent } = options
  const rules = { ...options, openedAtMs: clock() }
  let activeKid = findActive(held.keys(), clock())?.kid

  async function publish(plan: Plan, act?: Act): Promise<boolean> {
    // Outside of the transaction: an RSA key takes longer than one may.
    const generated = await generateKey(signingAlg)
    const replaced = await held.change(async (query, keys) => {
      const publishedAtMs = clock()
      const step = plan(keys, publishedAtMs)
      if (!step) return undefined
      const key = { generated, publishedAtMs, activeFromMs: step.activeFromMs }
      await deleteSigningKeys(query, step.replaces)
      await insertSigningKey(query, { ...key, accessTokenTtlSeconds }, rootSecrets)
      return step.replaces
    })
    if (!replaced) return false
    for (const { kid } of replaced) recordKeyEvent('key.compromised', kid, act)
    recordKeyEvent('key.published', generated.kid, act)
    announceActive()
    return true
  }

  const scheduled: Plan = (keys, nowMs) => {
    const activeFromMs = planRotation(keys, nowMs, rules)
    return activeFromMs === undefined ? undefined : { activeFromMs, replaces: [] }
  }

  function announceActive(): void {
    const kid = findActive(held.keys(), clock())?.kid
    if (kid === undefined || kid === activeKid) return
    activeKid = kid
    recordKeyEvent('key.activated', kid)
  }

  return {
    async rotateIfDue() {
      if (!scheduled(held.keys(), clock())) return
      // Reads again before making a key, which is expensive: another instance may have been faster.
      await held.read()
      if (scheduled(held.keys(), clock())) await publish(scheduled)
    },
    rotate: (act) =>
      publish(
        (keys, nowMs) =>
          findNext(keys, nowMs)
            ? undefined
            : { activeFromMs: firstSafeUse(nowMs, rules.jwksMaxAgeSeconds), replaces: [] },
        act,
      ),
    replaceAll: (act) => publish((keys, nowMs) => ({ activeFromMs: nowMs, replaces: keys }), act),
    async deleteRetired() {
      if (listRetired(held.keys(), clock()).length === 0) return
      const deleted = await held.change(async (query, keys) => {
        const retired = listRetired(keys, clock())
        await deleteSigningKeys(query, retired)
        return retired
      })
      for (const { kid } of deleted) recordKeyEvent('key.retired', kid)
    },
    announceActive,
    follow() {
      activeKid = findActive(held.keys(), clock())?.kid
    },
  }
}
