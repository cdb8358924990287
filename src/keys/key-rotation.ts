// When keys are made and when their rows go: the one place that changes the table. Whatever is
// decided from memory is decided again under the lock (DESIGN §8).

import type { Clock } from '../runtime/clock.ts'
import type { SecurityEvent } from '../runtime/security-event.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { generateKey } from './key-material.ts'
import {
  findActive,
  findNext,
  firstSafeUse,
  type KeySettings,
  listRetired,
  planRotation,
  type SigningKey,
} from './signing-key.ts'
import { deleteSigningKeys, insertSigningKey } from './signing-key-store.ts'
import type { SigningKeyTable } from './signing-key-table.ts'

/** Who asked for a rotation, and from where. */
export type KeyAct = Partial<Pick<SecurityEvent, 'ip' | 'userAgent' | 'detail'>>

/**
 * Where the life of keys is told. Every instance sees a key become active and says so; one alone says
 * the rest, and who asked for it, where somebody did.
 */
export type RecordKeyEvent = (
  type: 'key.published' | 'key.activated' | 'key.retired' | 'key.compromised',
  kid: string,
  act?: KeyAct,
) => void

export interface KeyRotationOptions extends KeySettings {
  readonly table: SigningKeyTable
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
  readonly recordKeyEvent: RecordKeyEvent
}

/** All of it rejects with DependencyUnavailable. */
export interface KeyRotation {
  /** Makes the first key of all, or a successor when one is due. */
  rotateIfDue(): Promise<void>
  /** Publishes a successor now; false when one waits already. */
  rotate(act?: KeyAct): Promise<boolean>
  /**
   * Replaces every key by a fresh one that is active at once. Every key, because whoever got at one
   * of them in memory or in the table got at those beside it. Always true.
   */
  replaceAll(act?: KeyAct): Promise<boolean>
  deleteRetired(): Promise<void>
  /** Says it when another key has become the active one. */
  announceActive(): void
}

/** What a new key is to be, judged by the keys of the moment; undefined where none is due. */
type Plan = (
  keys: readonly SigningKey[],
  nowMs: number,
) => { readonly activeFromMs: number; readonly replaces: readonly SigningKey[] } | undefined

export function openKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { table, rootSecrets, signingAlg, accessTokenTtlSeconds, clock, recordKeyEvent } = options
  const rules = { ...options, openedAtMs: clock() }
  let activeKid = findActive(table.keys(), clock())?.kid

  async function publish(plan: Plan, act?: KeyAct): Promise<boolean> {
    // Outside of the transaction: an RSA key takes longer than one may.
    const generated = await generateKey(signingAlg)
    const replaced = await table.change(async (tx, keys) => {
      const publishedAtMs = clock()
      const step = plan(keys, publishedAtMs)
      if (!step) return undefined
      const key = { generated, publishedAtMs, activeFromMs: step.activeFromMs }
      await deleteSigningKeys(tx, step.replaces)
      await insertSigningKey(tx, { ...key, accessTokenTtlSeconds }, rootSecrets)
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
    const kid = findActive(table.keys(), clock())?.kid
    if (kid === undefined || kid === activeKid) return
    activeKid = kid
    recordKeyEvent('key.activated', kid)
  }

  return {
    async rotateIfDue() {
      if (!scheduled(table.keys(), clock())) return
      // Another instance may have been faster, and a key is dear to make.
      await table.read()
      if (scheduled(table.keys(), clock())) await publish(scheduled)
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
      if (listRetired(table.keys(), clock()).length === 0) return
      const deleted = await table.change(async (tx, keys) => {
        const retired = listRetired(keys, clock())
        await deleteSigningKeys(tx, retired)
        return retired
      })
      for (const { kid } of deleted) recordKeyEvent('key.retired', kid)
    },
    announceActive,
  }
}
