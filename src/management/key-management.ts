// The signing keys as an operator manages them, and the events of their life.

import { type Page, type PageRequest, takePage } from '../database/keyset-page.ts'
import type { KeyRing, RotateResult } from '../keys/key-ring.ts'
import type { RecordKeyEvent } from '../keys/key-rotation.ts'
import type { KeyView } from '../keys/key-states.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { RecordEvent } from '../runtime/security-event.ts'

export interface KeyManagement {
  /** Those that verify tokens now, oldest first. */
  list(page: PageRequest): Page<KeyView>
  /**
   * Publishes a successor; `created` is false when one waits already. `compromised` replaces every
   * key at once. Rejects with DependencyUnavailable.
   */
  rotate(options: { readonly compromised: boolean }, act: Act): Promise<RotateResult>
}

/** `keys` must have been opened with `recordKeyEvents`, which records what a rotation does. */
export function openKeyManagement(keys: Pick<KeyRing, 'list' | 'rotate'>): KeyManagement {
  return {
    list: (page) =>
      takePage(keys.list(), page, ({ publishedAt, kid }) => ({
        at: new Date(publishedAt),
        id: kid,
      })),
    rotate: ({ compromised }, act) => keys.rotate({ compromised, act }),
  }
}

/** Records each step in the life of a key; `by` says who asked for it, if anybody did. */
export function recordKeyEvents(recordEvent: RecordEvent): RecordKeyEvent {
  return (type, kid, act) => recordEvent(withAct({ type, detail: { kid } }, act))
}
