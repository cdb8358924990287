// The signing keys as an operator manages them, and the events of their life.

import { type Page, type PageRequest, takePage } from '../database/keyset-page.ts'
import type { KeyRing, RotateResult } from '../keys/key-ring.ts'
import type { RecordKeyEvent } from '../keys/key-rotation.ts'
import type { KeySettings, KeyView } from '../keys/key-states.ts'
import type { SigningAlg } from '../keys/signing-algorithms.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import { accepted } from './management-error.ts'

export interface KeyManagement {
  /** Those that verify tokens now, oldest first. */
  list(page: PageRequest): Page<KeyView>
  /**
   * Publishes a successor of that algorithm, else one of each; `created` is false when that of the
   * algorithm, else of the default, waits already. `compromised` replaces every key at once. Throws
   * ManagementError for an algorithm that is not configured; rejects with DependencyUnavailable.
   */
  rotate(options: RotationRequest, act: Act): Promise<RotateResult>
}

export interface RotationRequest {
  readonly compromised: boolean
  readonly alg?: string | undefined
}

/** `keys` must have been opened with `recordKeyEvents`, which records what a rotation does. */
export function openKeyManagement(
  keys: Pick<KeyRing, 'list' | 'rotate'>,
  { signingAlgs }: Pick<KeySettings, 'signingAlgs'>,
): KeyManagement {
  function readAlg({ compromised, alg }: RotationRequest): SigningAlg | undefined {
    if (alg === undefined) return undefined
    const known = signingAlgs.find((name) => name === alg)
    if (known && !compromised) return known
    const detail = compromised
      ? 'must not be there with compromised, which replaces every key'
      : `must be one of ${signingAlgs.join(', ')}`
    return accepted({ ok: false, errors: [{ pointer: '/alg', detail }] })
  }

  return {
    list: (page) =>
      takePage(keys.list(), page, ({ publishedAt, kid }) => ({
        at: new Date(publishedAt),
        id: kid,
      })),
    async rotate(request, act) {
      const alg = readAlg(request)
      const { compromised } = request
      return await keys.rotate({ compromised, act, ...(alg ? { alg } : {}) })
    },
  }
}

/** Records each step in the life of a key; `by` says who asked for it, if anybody did. */
export function recordKeyEvents(recordEvent: RecordEvent): RecordKeyEvent {
  return (type, { kid, alg }, act) => recordEvent(withAct({ type, detail: { kid, alg } }, act))
}
