// What the family contract needs from an adapter's test file, and the builders that its cases
// share: users, families and rotations at fixed instants. Every case makes its own users, so that
// cases may share one server.

import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { ClientId } from '../../src/clients/client.ts'
import {
  BY_PASSWORD,
  type CreateFamily,
  type EndFamily,
  type Family,
  type FamilyId,
  type RotateFamily,
} from '../../src/families/family.ts'
import { compareAge } from '../../src/families/family-index.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import { hashFamilySecret, newFamilySecret } from '../../src/families/refresh-token-string.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import type { EpochReason, UserId, UserRecord } from '../../src/users/user.ts'

/** One store on a real server, with a hand on the server and on the wire between the two. */
export interface FamilyBench {
  readonly store: FamilyStore
  /** One more instance of the service: a store of its own over the same data. */
  another(): Promise<FamilyStore>
  /** Loses the store's copy of a user's record, as a failover does. */
  forgetUser(userId: UserId): Promise<void>
  /** Everything that the store holds, as text. */
  dump(): Promise<string>
  /** The bytes that the store spends on one family. */
  sizeOf(family: Family): Promise<number>
  /** Drops every connection; where the server belongs to the test, it restarts as well. */
  restart(): Promise<void>
  /** The way to the server: gone at once, silent, and back again. */
  cut(): Promise<void>
  hang(): void
  heal(): Promise<void>
  /** The clock that revoked tokens expire by, and how to get past a moment on it. */
  nowMs(): number
  reach(ms: number): Promise<void>
}

export type OpenFamilyBench = (t: Test) => Promise<FamilyBench>

/** Far ahead, so that no server's own expiry takes a key away under a case. */
export const T0 = Date.UTC(2040, 0, 1)
export const GRACE_MS = 30_000
export const IDLE_MS = 3_600_000
export const ABSOLUTE_MS = 86_400_000

export const WEB = 'web' as ClientId
export const MOBILE = 'mobile' as ClientId
export const CLIENTS = [WEB, MOBILE] as const
export const SCOPE = ['openid', 'orders:read', 'lineage:admin'] as const
export const AUDIENCE = ['https://api.example', 'https://files.example'] as const

export function newUser(overrides: Partial<UserRecord> = {}): UserRecord {
  return {
    userId: randomUUID() as UserId,
    epoch: 0,
    status: 'active',
    roles: ['staff'],
    version: 0,
    epochLog: [],
    username: 'Zoë',
    ...overrides,
  }
}

/** The record after a logout everywhere, a disable or a new password at `atMs`. */
export function nextEpoch(
  user: UserRecord,
  reason: EpochReason = 'logged_out_everywhere',
  atMs = T0 + 1_000,
): UserRecord {
  const epoch = user.epoch + 1
  return {
    ...user,
    epoch,
    version: user.version + 1,
    status: reason === 'user_disabled' ? 'disabled' : user.status,
    epochLog: [...user.epochLog, { epoch, reason, atMs }],
  }
}

/** "All but this": the newest epoch of the record keeps one family. */
export function keeping(user: UserRecord, { familyId }: Pick<Family, 'familyId'>): UserRecord {
  const newest = user.epochLog.at(-1)
  if (!newest) throw new Error('no epoch has begun')
  return {
    ...user,
    epochLog: [...user.epochLog.slice(0, -1), { ...newest, keptFamilyId: familyId }],
  }
}

export function withRoles(user: UserRecord, roles: readonly string[]): UserRecord {
  return { ...user, roles, version: user.version + 1 }
}

/** A login of `user` at `nowMs`, not yet sent. */
export function newLogin(
  user: UserRecord,
  overrides: Partial<CreateFamily['family']> = {},
  nowMs = T0,
): CreateFamily {
  return {
    family: {
      familyId: randomUUID() as FamilyId,
      clientId: WEB,
      scope: SCOPE,
      audience: AUDIENCE,
      amr: BY_PASSWORD,
      confirmation: undefined,
      secretHash: hashFamilySecret(newFamilySecret()),
      createdAtMs: nowMs,
      idleExpiresAtMs: nowMs + IDLE_MS,
      absoluteExpiresAtMs: nowMs + ABSOLUTE_MS,
      ip: '192.0.2.1',
      userAgent: 'Mozilla/5.0',
      ...overrides,
    },
    user,
    nowMs,
    clientSessionsValidFromMs: 0,
  }
}

/** Sends a login and gives the family that it made. */
export async function logIn(
  store: FamilyStore,
  user: UserRecord = newUser(),
  overrides: Partial<CreateFamily['family']> = {},
  nowMs = T0,
): Promise<Family> {
  const answer = await store.create(newLogin(user, overrides, nowMs))
  if (answer.outcome !== 'created') throw new Error(`login answered ${answer.outcome}`)
  return answer.family
}

/** The request that presents a token of `family`, by default its current one a second later. */
export function rotation(family: Family, overrides: Partial<RotateFamily> = {}): RotateFamily {
  return {
    userId: family.userId,
    familyId: family.familyId,
    secretHash: family.secretHash,
    generation: family.generation,
    clientId: family.clientId,
    confirmation: family.confirmation,
    nowMs: family.rotatedAtMs + 1_000,
    graceMs: GRACE_MS,
    idleTtlMs: IDLE_MS,
    rotateAfterMs: 0,
    neverRotates: 'none',
    clientSessionsValidFromMs: 0,
    requestedScope: undefined,
    clientScopes: SCOPE,
    requestedAudience: undefined,
    clientAudiences: AUDIENCE,
    ip: '198.51.100.7',
    userAgent: 'curl/8',
    ...overrides,
  }
}

/** The request that ends `family` a second after its last rotation. */
export function ending(family: Family, overrides: Partial<EndFamily> = {}): EndFamily {
  return {
    userId: family.userId,
    familyId: family.familyId,
    reason: 'revoked_by_user',
    atMs: family.rotatedAtMs + 1_000,
    ...overrides,
  }
}

/** Rotates with the current token and gives the family after it; anything else is a failure. */
export async function rotateOn(
  store: FamilyStore,
  family: Family,
  overrides: Partial<RotateFamily> = {},
): Promise<Family> {
  const answer = await store.rotate(rotation(family, overrides))
  if (answer.outcome !== 'rotated') throw new Error(`rotation answered ${describe(answer)}`)
  return answer.family
}

/** The family as the store holds it now. */
export async function read(store: FamilyStore, family: Family): Promise<Family | undefined> {
  const { userId, familyId } = family
  return (await store.inspect({ owner: { userId }, familyId })).family
}

/** The user's copy and every family that a list may show, oldest first. */
export async function listAll(
  store: FamilyStore,
  userId: UserId,
): Promise<{ user: UserRecord | undefined; families: Family[] }> {
  const { user, live, ended } = await store.index(userId)
  const read = await store.read(
    userId,
    ended.map(({ familyId }) => familyId),
  )
  return { user, families: [...live, ...read].sort(compareAge) }
}

/** An answer in one word, with its reason: what most cases compare. */
export function describe(answer: {
  readonly outcome: string
  readonly reason?: string
  readonly error?: string
}): string {
  return [answer.outcome, answer.reason ?? answer.error].filter(Boolean).join(' ')
}

/** How often each answer was given. */
export function tally(answers: readonly { readonly outcome: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const key = describe(answer)
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/**
 * `count` promises at once, in turns over the given stores. On a slow machine some find no connection
 * in time: the server was not asked, so they are made again.
 */
export function together<T>(
  stores: readonly FamilyStore[],
  count: number,
  call: (store: FamilyStore, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const store = stores[index % stores.length]
      if (!store) throw new Error('no store')
      return repeatUnasked(() => call(store, index))
    }),
  )
}

async function repeatUnasked<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof DependencyUnavailable) || error.because !== 'queue') throw error
    }
  }
}
