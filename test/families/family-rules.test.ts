// The rules of families as pure functions, to the millisecond (docs/semantics.md §3).

import fc from 'fast-check'
import { test } from 'tap'
import type { ClientId } from '../../src/clients/client.ts'
import type { Family, FamilyId, RotateFamily } from '../../src/families/family.ts'
import {
  classifyGeneration,
  findEnd,
  findInactiveReason,
  findRefusal,
  isUserStale,
  reachedEpoch,
} from '../../src/families/family-rules.ts'
import type { EpochStart, UserId, UserRecord } from '../../src/users/user.ts'

const family: Family = {
  familyId: 'f' as FamilyId,
  userId: 'u' as UserId,
  clientId: 'web' as ClientId,
  scope: ['openid', 'orders:read', 'lineage:admin'],
  audience: ['https://a.example', 'https://b.example'],
  amr: ['pwd'],
  confirmation: undefined,
  secretHash: 'hash',
  generation: 5,
  epoch: 3,
  createdAtMs: 1_000,
  rotatedAtMs: 2_000,
  usedAtMs: 2_000,
  idleExpiresAtMs: 5_000,
  absoluteExpiresAtMs: 9_000,
  ended: undefined,
  ip: '192.0.2.1',
  userAgent: 'test',
  retriedElsewhere: 0,
}
const user: UserRecord = {
  userId: family.userId,
  epoch: 3,
  status: 'active',
  roles: [],
  version: 1,
  epochLog: [],
}
const ended = (atMs: number): Family => ({ ...family, ended: { reason: 'revoked_by_user', atMs } })
const moved = (...epochLog: EpochStart[]): UserRecord => ({
  ...user,
  epoch: epochLog.at(-1)?.epoch ?? user.epoch,
  epochLog,
})

test('a record is stale when it is missing or of an earlier epoch than the family', async (t) => {
  t.equal(isUserStale(undefined, family), true)
  t.equal(isUserStale({ ...user, epoch: 2 }, family), true)
  t.equal(isUserStale(user, family), false)
  t.equal(isUserStale({ ...user, epoch: 4 }, family), false)
})

test('a family reaches as far as epochs keep it without a gap', async (t) => {
  const start = (epoch: number, kept?: string): EpochStart => ({
    epoch,
    reason: 'logged_out_everywhere',
    atMs: epoch * 100,
    ...(kept === undefined ? {} : { keptFamilyId: kept as FamilyId }),
  })
  const cases: [number, number, EpochStart[]][] = [
    [3, 3, []],
    [3, 3, [start(4)]],
    [4, 4, [start(4, 'f')]],
    [6, 6, [start(3), start(4, 'f'), start(5, 'f'), start(6, 'f')]],
    [4, 6, [start(4, 'f'), start(5, 'other'), start(6, 'f')]],
    [3, 6, [start(5, 'f'), start(6, 'f')]],
    [3, 4, [start(1, 'f'), start(2, 'f'), start(3, 'f'), start(4, 'other')]],
  ]
  for (const [reached, epoch, epochLog] of cases) {
    t.equal(reachedEpoch(family, epochLog), reached)
    const record = { ...user, epoch, epochLog }
    const isPassed = reached < epoch
    const reason = findInactiveReason(family, record, 4_000, 0)
    t.equal(reason, isPassed ? 'user_epoch_passed' : undefined)
    const passed = epochLog.find((one) => one.epoch > reached)
    t.equal(findEnd(family, record, 4_000, 0)?.atMs, passed?.atMs)
  }
})

test('a family dies at the millisecond of its expiry', async (t) => {
  t.equal(findInactiveReason(family, user, 4_999, 0), undefined)
  t.equal(findInactiveReason(family, user, 5_000, 0), 'family_idle_expired')
  const busy = { ...family, idleExpiresAtMs: 9_000 }
  t.equal(findInactiveReason(busy, user, 8_999, 0), undefined)
  t.equal(findInactiveReason(busy, user, 9_000, 0), 'family_absolute_expired')
})

test('of many reasons the first in the order of docs/semantics.md §3 is told', async (t) => {
  const gone: UserRecord = { ...user, epoch: 4, status: 'disabled' }
  t.equal(findInactiveReason(ended(1), gone, 9_000, 1_001), 'family_ended')
  t.equal(findInactiveReason(family, gone, 9_000, 1_001), 'family_absolute_expired')
  t.equal(findInactiveReason(family, gone, 5_000, 1_001), 'family_idle_expired')
  t.equal(findInactiveReason(family, gone, 4_999, 1_001), 'user_inactive')
  const deleted: UserRecord = { ...gone, status: 'deleted' }
  t.equal(findInactiveReason(family, deleted, 4_999, 1_001), 'user_inactive')
  const back: UserRecord = { ...gone, status: 'active' }
  t.equal(findInactiveReason(family, back, 4_999, 1_001), 'user_epoch_passed')
  t.equal(findInactiveReason(family, user, 4_999, 1_001), 'client_sessions_ended')
  t.equal(findInactiveReason(family, user, 4_999, 1_000), undefined)
})

test('a living family has no end', async (t) => {
  t.equal(findEnd(family, user, 4_999, 1_000), undefined)
  t.equal(findEnd(family, undefined, 4_999, 0), undefined)
  t.equal(findEnd(family, { ...user, epochLog: [start(3, 1)] }, 4_999, 0), undefined)
})

test('a family ended by whatever came first in time', async (t) => {
  const late = 100_000
  const passed = moved(start(4, 3_000), start(5, 3_500))
  t.strictSame(findEnd(family, user, late, 0), { reason: 'idle_expired', atMs: 5_000 })
  t.strictSame(findEnd(family, passed, late, 0), { reason: 'password_changed', atMs: 3_000 })
  t.strictSame(findEnd(ended(2_999), passed, late, 0), { reason: 'revoked_by_user', atMs: 2_999 })
  t.strictSame(findEnd(ended(3_001), passed, late, 0), { reason: 'password_changed', atMs: 3_000 })
  t.strictSame(findEnd(ended(6_000), user, late, 0), { reason: 'idle_expired', atMs: 5_000 })
  t.strictSame(findEnd(ended(3_000), user, late, 2_500), {
    reason: 'client_sessions_ended',
    atMs: 2_500,
  })
})

test('an epoch that the family outlived did not end it', async (t) => {
  const restamped = { ...family, epoch: 5 }
  const log = moved(start(4, 3_000), start(5, 3_500), start(6, 4_000))
  t.strictSame(findEnd(restamped, log, 4_500, 0), { reason: 'password_changed', atMs: 4_000 })
})

test('ties go to absolute_expired', async (t) => {
  const at = 9_000
  const absolute = { reason: 'absolute_expired', atMs: at }
  const busy = { ...ended(at), idleExpiresAtMs: at }
  t.strictSame(findEnd({ ...family, idleExpiresAtMs: at }, user, at, 0), absolute)
  t.strictSame(findEnd(busy, user, at, 0), absolute)
  t.strictSame(findEnd(busy, moved(start(4, at)), at, at), absolute)
})

test('a family has an end exactly when it does not live', async (t) => {
  const instant = fc.integer({ min: 1_000, max: 12_000 })
  const history = fc.record({
    nowMs: instant,
    endedAtMs: fc.option(instant, { nil: undefined }),
    idleExpiresAtMs: fc.integer({ min: 1_001, max: 9_000 }),
    epochs: fc.array(instant, { maxLength: 3 }),
    validFromMs: fc.oneof(fc.constant(0), instant),
  })
  fc.assert(
    fc.property(history, ({ nowMs, endedAtMs, idleExpiresAtMs, epochs, validFromMs }) => {
      const base = endedAtMs === undefined ? family : ended(endedAtMs)
      const times = [...epochs].sort((a, b) => a - b)
      const log = times.map((atMs, i) => start(family.epoch + 1 + i, atMs))
      const state = { ...base, idleExpiresAtMs }
      const reason = findInactiveReason(state, moved(...log), nowMs, validFromMs)
      const end = findEnd(state, moved(...log), nowMs, validFromMs)
      t.equal(end === undefined, reason === undefined)
    }),
  )
})

const request = {
  requestedScope: undefined,
  clientScopes: family.scope,
  requestedAudience: undefined,
  clientAudiences: family.audience,
} as unknown as RotateFamily
const admin: UserRecord = { ...user, roles: ['lineage:admin'] }

const refusals: [string, Partial<RotateFamily>, UserRecord, string | undefined][] = [
  ['nothing asked for', {}, user, undefined],
  ['all of the grant', { requestedScope: family.scope }, user, undefined],
  ['a wider scope', { requestedScope: ['openid', 'x'] }, user, 'invalid_scope'],
  ['a scope in another case', { requestedScope: ['OPENID'] }, user, 'invalid_scope'],
  ['admin without the role', { requestedScope: ['lineage:admin'] }, user, 'invalid_scope'],
  ['admin with the role', { requestedScope: ['lineage:admin'] }, admin, undefined],
  [
    'admin with the role at a client that lost it',
    { requestedScope: ['lineage:admin'], clientScopes: ['openid'] },
    admin,
    'invalid_scope',
  ],
  ['one scope that is left', { requestedScope: ['openid', 'lineage:admin'] }, user, undefined],
  [
    'no scope that is left',
    { requestedScope: ['openid'], clientScopes: [] },
    user,
    'invalid_scope',
  ],
  ['nothing asked for and none left', { clientScopes: [] }, user, undefined],
  [
    'both audiences',
    { requestedAudience: ['https://b.example', 'https://a.example'] },
    user,
    undefined,
  ],
  ['a wider audience', { requestedAudience: ['https://x.example'] }, user, 'invalid_target'],
  [
    'an audience that the client lost',
    { requestedAudience: ['https://b.example'], clientAudiences: ['https://a.example'] },
    user,
    'invalid_target',
  ],
  ['the first audience is lost', { clientAudiences: ['https://b.example'] }, user, undefined],
  ['every audience is lost', { clientAudiences: [] }, user, 'invalid_target'],
]
for (const [what, asked, by, expected] of refusals) {
  test(`${what}: ${expected ?? 'not refused'} (C21, C105)`, async (t) => {
    t.equal(findRefusal(family, by, { ...request, ...asked }), expected)
  })
}

test('a generation is current, ahead, a retry within the grace, or a replay', async (t) => {
  const judge = (generation: number, nowMs: number, graceMs = 100) =>
    classifyGeneration(family, generation, nowMs, graceMs)
  t.equal(judge(5, 2_000), 'current')
  t.equal(judge(6, 2_000), 'ahead')
  t.equal(judge(0xffff_fffe, 2_000), 'ahead')
  t.equal(judge(4, 2_000), 'retry')
  t.equal(judge(4, 2_099), 'retry')
  t.equal(judge(4, 2_100), 'replay')
  t.equal(judge(4, 2_000, 0), 'replay')
  t.equal(judge(3, 2_000), 'replay')
  t.equal(judge(0, 2_000), 'replay')
})

function start(epoch: number, atMs: number): EpochStart {
  return { epoch, reason: 'password_changed', atMs }
}
