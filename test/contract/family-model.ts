// A family store in plain memory: the pure rules of test/model/ with a place to keep what they give. The
// property test holds the real stores against it. One call at a time, no garbage collection.

import type {
  CreateFamily,
  CreateOutcome,
  EndFamily,
  EndOutcome,
  Family,
  FamilyId,
  RotateFamily,
  RotateOutcome,
} from '../../src/families/family.ts'
import type { UserId, UserRecord } from '../../src/users/user.ts'
import {
  createFamily,
  endFamily,
  findFamily,
  NO_FAMILIES,
  putUser,
  rotateFamily,
  type Step,
  type UserFamilies,
} from '../model/user-families.ts'

export interface FamilyModel {
  create(input: CreateFamily): CreateOutcome
  rotate(input: RotateFamily): RotateOutcome
  end(input: EndFamily): EndOutcome
  putUser(record: UserRecord): void
  forgetUser(userId: UserId): void
  copyOf(userId: UserId): UserRecord | undefined
  find(userId: UserId, familyId: FamilyId): Family | undefined
  familiesOf(userId: UserId): Family[]
}

export function newFamilyModel(): FamilyModel {
  const users = new Map<UserId, UserFamilies>()
  const of = (userId: UserId) => users.get(userId) ?? NO_FAMILIES

  function take<Answer>(userId: UserId, { answer, after }: Step<Answer>): Answer {
    users.set(userId, after)
    return answer
  }

  return {
    create: (input) => take(input.user.userId, createFamily(of(input.user.userId), input)),
    rotate: (input) => take(input.userId, rotateFamily(of(input.userId), input)),
    end: (input) => take(input.userId, endFamily(of(input.userId), input)),
    putUser: (record) => void users.set(record.userId, putUser(of(record.userId), record)),
    forgetUser: (userId) => void users.set(userId, { ...of(userId), copy: undefined }),
    copyOf: (userId) => of(userId).copy,
    find: (userId, familyId) => findFamily(of(userId), familyId),
    familiesOf: (userId) => [...of(userId).families],
  }
}
