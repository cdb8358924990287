// Users from a file, a batch at a time: added where they are not there yet, so that the same file can
// be imported again, or to its end after an interruption, and changes nobody.

import { type Act, withAct } from '../runtime/act.ts'
import type { FieldError } from '../runtime/field-error.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import type { UserId } from '../users/user.ts'
import type { UserBatches } from '../users/user-batches.ts'
import { judgeClaim, keyText, USER_KEYS, type UserKeys } from '../users/user-claim.ts'
import type { UserDraft } from '../users/user-draft.ts'
import { newUserId } from '../users/user-id.ts'

export interface UserImportDependencies {
  readonly batches: UserBatches
  readonly hasher: Pick<PasswordHasher, 'hash'>
  readonly recordEvent: RecordEvent
}

export interface DraftLine {
  readonly line: number
  readonly draft: UserDraft
}

export type LineOutcome =
  | { readonly line: number; readonly outcome: 'free' | 'there' | 'added' }
  | { readonly line: number; readonly outcome: 'taken'; readonly errors: readonly FieldError[] }

/** Which line had a key first, by `keyText`. */
export interface SeenKeys {
  get(key: string): number | undefined
  set(key: string, line: number): unknown
}

/** Both reject with DependencyUnavailable. Outcomes are in the order of the lines. */
export interface UserImport {
  /** What `add` would do; changes nothing but `seen`, which keeps the lines of all batches. */
  check(lines: readonly DraftLine[], seen: SeenKeys): Promise<readonly LineOutcome[]>
  /** Adds who is not there. Records one event for the batch, not one for each user. */
  add(lines: readonly DraftLine[], act: Act): Promise<readonly LineOutcome[]>
}

const NOBODY = '' as UserId

export function openUserImport(dependencies: UserImportDependencies): UserImport {
  const { batches, hasher, recordEvent } = dependencies

  async function check(lines: readonly DraftLine[], seen: SeenKeys): Promise<LineOutcome[]> {
    const all = lines.map(({ draft }) => keysOf(draft))
    const holders = await batches.findHolders(all)
    return lines.map(({ line, draft }) => {
      const keys = keysOf(draft)
      const claim = judgeClaim(keys, (key) => holders.get(key) ?? seen.get(key))
      if (claim.outcome === 'free') noteKeys(keys, line, seen)
      return { line, ...claim }
    })
  }

  async function hash({ line, draft }: DraftLine) {
    const { password = '', passwordHash, ...rest } = draft
    const id = draft.id ?? newUserId()
    return { line, ...rest, id, passwordHash: passwordHash ?? (await hasher.hash(password)) }
  }

  return {
    check,
    async add(lines, act) {
      const judged = await check(lines, new Map())
      const free = lines.filter((_, index) => judged[index]?.outcome === 'free')
      if (free.length === 0) return judged
      const users = await Promise.all(free.map(hash))
      const addedIds = await batches.addFree(users)
      const added = users.filter(({ id }) => addedIds.has(id))
      if (added.length > 0) {
        recordEvent(withAct({ type: 'user.imported', detail: { added: added.length } }, act))
      }
      const settled = new Map(judged.map((outcome) => [outcome.line, outcome]))
      for (const { line } of added) settled.set(line, { line, outcome: 'added' })
      // Somebody else took these between the two statements: what is so now decides.
      const late = free.filter((_, index) => !addedIds.has(users[index]?.id ?? NOBODY))
      if (late.length > 0) {
        for (const outcome of await check(late, new Map())) {
          settled.set(outcome.line, toFault(outcome))
        }
      }
      return [...settled.values()]
    },
  }
}

/** Whoever was in the way is gone again. */
function toFault(outcome: LineOutcome): LineOutcome {
  if (outcome.outcome !== 'free') return outcome
  const errors = [
    { pointer: '', detail: 'was taken a moment ago, and is free now: import it again' },
  ]
  return { line: outcome.line, outcome: 'taken', errors }
}

function keysOf({ id, username, email }: UserDraft): UserKeys {
  return { id, username: username.key, email: email.key }
}

function noteKeys(keys: UserKeys, line: number, seen: SeenKeys): void {
  for (const name of USER_KEYS) {
    const value = keys[name]
    if (value !== undefined) seen.set(keyText(name, value), line)
  }
}
