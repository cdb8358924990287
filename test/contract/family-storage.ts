// What the store keeps: constant size, nothing that mints a token, and everything over a restart.

import type { Test } from 'tap'
import { BY_ASSERTION, BY_PASSWORD_AND_CODE } from '../../src/families/family.ts'
import {
  hashFamilySecret,
  mintRefreshToken,
  newFamilySecret,
} from '../../src/families/refresh-token-string.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'
import {
  ABSOLUTE_MS,
  describe,
  ending,
  GRACE_MS,
  IDLE_MS,
  listAll,
  logIn,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  rotateOn,
  rotation,
  T0,
} from './family-bench.ts'
import { waitUntilUp } from './family-outage.ts'

const ROTATIONS = 10_000

export async function runStorageCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store, another, dump, sizeOf, restart } = await open(t)

  t.test(`${ROTATIONS} rotations leave the size unchanged`, async (t) => {
    // From here on the generation has the same number of digits.
    let family = await logIn(store, newUser(), { absoluteExpiresAtMs: T0 + 30 * ABSOLUTE_MS })
    family = await rotateOn(store, family, { generation: 100_000 })
    const before = await sizeOf(family)
    t.ok(before > 0 && before < 2_000, `a family takes ${before} bytes`)
    for (let i = 0; i < ROTATIONS; i += 1) family = await rotateOn(store, family)
    t.equal(family.generation, 100_001 + ROTATIONS)
    t.equal(await sizeOf(family), before)
  })

  t.test('a full dump holds no token and no family secret (C57)', async (t) => {
    const familySecret = newFamilySecret()
    const secretHash = hashFamilySecret(familySecret)
    const user = newUser()
    const family = await logIn(store, user, { secretHash })
    const second = await rotateOn(store, family)
    await store.rotate(rotation(family))
    await store.inspect({ owner: { userId: user.userId }, familyId: family.familyId, jti: 'x' })
    await store.rotate(rotation(family, { secretHash: 'A'.repeat(43) }))
    await store.rotate(rotation(second, { generation: 0, nowMs: T0 + GRACE_MS * 2 }))
    const text = await dump()
    t.match(text, secretHash, 'the dump is a dump')
    const secrets = rootSecretsOf(7)
    const { userId, familyId } = family
    const spellings = [
      ...(['latin1', 'utf8', 'hex', 'base64', 'base64url'] as const).map((encoding) =>
        familySecret.toString(encoding).replace(/=+$/, ''),
      ),
      familySecret.toString('hex').toUpperCase(),
      ...[0, 1, 2].map((generation) =>
        mintRefreshToken({ userId, familyId, familySecret, generation }, secrets),
      ),
      'lrt_',
    ]
    for (const spelling of spellings) t.notOk(text.includes(spelling), 'holds no secret')
  })

  t.test('a restart and a reconnect keep every family as it was (C60)', async (t) => {
    const user = newUser()
    const confirmation = { jkt: 'k'.repeat(43), 'x5t#S256': 'c'.repeat(43) }
    const first = await logIn(store, user, { amr: BY_PASSWORD_AND_CODE, confirmation })
    const second = await rotateOn(store, first, { nowMs: T0 + 100 })
    const ended = await logIn(store, user, { amr: BY_ASSERTION, confirmation })
    const reused = await logIn(store, user)
    await store.end(ending(ended))
    const reusedNow = await rotateOn(store, reused)
    await store.rotate(rotation(reused, { nowMs: T0 + GRACE_MS * 2 }))
    const moved = newUser()
    const passed = await logIn(store, moved)
    await store.putUser(nextEpoch(moved))
    const owner = { userId: user.userId }
    await store.revokeToken({ owner, jti: 'gone', expiresAtMs: T0 + IDLE_MS }, T0)
    const before = await listAll(store, user.userId)

    await restart()
    await waitUntilUp(store)
    for (const one of [store, await another()]) {
      t.strictSame(await listAll(one, user.userId), before)
      t.equal((await one.inspect({ owner, jti: 'gone' })).tokenRevoked, true)
      const retry = await one.rotate(rotation(first, { nowMs: T0 + 100 + GRACE_MS - 1 }))
      t.match(retry, { outcome: 'retried', family: second })
      for (const token of [ended, reused, reusedNow]) {
        t.equal(describe(await one.rotate(rotation(token))), 'inactive family_ended')
      }
      t.equal(describe(await one.rotate(rotation(passed))), 'inactive user_epoch_passed')
    }
    const late = await store.rotate(rotation(first, { nowMs: T0 + 100 + GRACE_MS }))
    t.equal(late.outcome, 'replayed', 'reuse is recognised after any restart')
  })
}
