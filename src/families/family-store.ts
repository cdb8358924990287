// The port behind which the state of families lives. Two adapters keep this contract, Redis and
// PostgreSQL; test/contract/family-store.ts holds both to it.

import type { UserId, UserRecord } from '../users/user.ts'
import type {
  CreateFamily,
  CreateOutcome,
  EndFamily,
  EndOutcome,
  Family,
  FamilyId,
  Inspect,
  Inspection,
  RevokedToken,
  RotateFamily,
  RotateOutcome,
} from './family.ts'
import type { FamilyIndex } from './family-index.ts'

/**
 * Where families live. Every method is atomic, is done when it answers, and rejects with
 * DependencyUnavailable within its deadline when the server behind it does not answer; it never
 * answers from a guess.
 */
export interface FamilyStore {
  readonly name: 'redis' | 'postgresql'
  create(input: CreateFamily): Promise<CreateOutcome>
  /** Checks in the order of docs/semantics.md §3. */
  rotate(input: RotateFamily): Promise<RotateOutcome>
  end(input: EndFamily): Promise<EndOutcome>
  /**
   * Stores the record unless an equal or newer one is there. The family that its newest epoch keeps
   * ("all but this") is stamped with that epoch in the same step, also when a newer record was
   * there already: a log forgets old epochs, a stamp does not. Applying it again is harmless.
   */
  putUser(record: UserRecord): Promise<void>
  revokeToken(token: RevokedToken, nowMs: number): Promise<void>
  /** One round trip for everything that an online check of a token needs. */
  inspect(input: Inspect): Promise<Inspection>
  /** What a list is made of, at a cost that does not depend on how many families have ended. */
  index(userId: UserId): Promise<FamilyIndex>
  /** Those of the families that the store still has, in any order. */
  read(userId: UserId, familyIds: readonly FamilyId[]): Promise<Family[]>
  /** Resolves when the server answers and family commands may be sent to it. */
  ping(): Promise<void>
  close(): Promise<void>
}
