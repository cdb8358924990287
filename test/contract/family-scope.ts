// Requested scope and audience: wider is refused without a trace, narrower is for one access token
// only, and what was lost since the login is dropped (RFC 6749 §6, RFC 8707 §2.2).

import type { Test } from 'tap'
import type { RotateFamily } from '../../src/families/family.ts'
import {
  AUDIENCE,
  describe,
  GRACE_MS,
  logIn,
  newUser,
  type OpenFamilyBench,
  read,
  rotateOn,
  rotation,
  SCOPE,
  T0,
  withRoles,
} from './family-bench.ts'

export async function runScopeCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const { store } = await open(t)

  const refused: [string, string, Partial<RotateFamily>][] = [
    ['a scope never granted', 'invalid_scope', { requestedScope: ['openid', 'orders:write'] }],
    ['a scope in another case', 'invalid_scope', { requestedScope: ['OpenID'] }],
    ['what is no scope at all', 'invalid_scope', { requestedScope: ['"'] }],
    ['what is no audience at all', 'invalid_target', { requestedAudience: ['"'] }],
    ['a part of a granted scope', 'invalid_scope', { requestedScope: ['orders'] }],
    ['an audience never granted', 'invalid_target', { requestedAudience: ['https://x.example'] }],
    [
      'one audience too many',
      'invalid_target',
      { requestedAudience: [...AUDIENCE, 'https://x.example'] },
    ],
    [
      'a scope that the client lost',
      'invalid_scope',
      { requestedScope: ['openid'], clientScopes: [] },
    ],
    ['a role-bound scope alone', 'invalid_scope', { requestedScope: ['lineage:admin'] }],
    [
      'an audience that the client lost',
      'invalid_target',
      { requestedAudience: ['https://files.example'], clientAudiences: ['https://api.example'] },
    ],
    ['anything at a client that lost every audience', 'invalid_target', { clientAudiences: [] }],
    [
      'both wider: the scope is looked at first',
      'invalid_scope',
      { requestedScope: ['orders:write'], requestedAudience: ['https://x.example'] },
    ],
  ]
  for (const [what, error, request] of refused) {
    t.test(`refuses ${what}: ${error}, and the token still works (C21, C105)`, async (t) => {
      const first = await logIn(store)
      const family = await rotateOn(store, first)
      const wide = rotation(family, { ...request, ip: '203.0.113.9', userAgent: 'other' })
      t.strictSame(await store.rotate(wide), { outcome: 'refused', error })
      t.strictSame(await read(store, family), family, 'nothing changed')
      t.equal((await rotateOn(store, family)).generation, 2)
    })
  }

  const passing: [string, Partial<RotateFamily>][] = [
    ['what was granted', { requestedScope: SCOPE, requestedAudience: AUDIENCE }],
    ['in another order, twice', { requestedScope: ['orders:read', 'openid', 'openid'] }],
    ['the second audience', { requestedAudience: ['https://files.example'] }],
    [
      'one scope that is left beside one that the client lost',
      { requestedScope: ['openid', 'orders:read'], clientScopes: ['openid'] },
    ],
    ['a scope that is left beside a missing role', { requestedScope: ['openid', 'lineage:admin'] }],
    ['nothing, and the client lost every scope', { clientScopes: [] }],
    ['nothing, and the first audience is lost', { clientAudiences: ['https://files.example'] }],
  ]
  for (const [what, request] of passing) {
    t.test(`rotates for ${what}; the grant stays whole (C51)`, async (t) => {
      const family = await logIn(store)
      const after = await rotateOn(store, family, request)
      t.strictSame([after.scope, after.audience], [SCOPE, AUDIENCE])
      t.equal((await rotateOn(store, after, { requestedScope: SCOPE })).generation, 2)
    })
  }

  t.test('a role-bound scope comes and goes with the role', async (t) => {
    const user = newUser()
    const family = await logIn(store, user)
    const request = { requestedScope: ['lineage:admin'] }
    t.equal(describe(await store.rotate(rotation(family, request))), 'refused invalid_scope')
    await store.putUser(withRoles(user, ['lineage:admin']))
    const after = await rotateOn(store, family, request)
    await store.putUser({ ...user, version: user.version + 2 })
    t.equal(describe(await store.rotate(rotation(after, request))), 'refused invalid_scope')
  })

  t.test('other scopes are not bound to a role of their name', async (t) => {
    const family = await logIn(store, newUser({ roles: [] }))
    t.equal((await rotateOn(store, family, { requestedScope: ['orders:read'] })).generation, 1)
  })

  t.test('a login without scope is refused every named scope', async (t) => {
    const family = await logIn(store, newUser(), { scope: [] })
    const wide = await store.rotate(rotation(family, { requestedScope: ['openid'] }))
    t.equal(describe(wide), 'refused invalid_scope')
    t.equal((await rotateOn(store, family)).generation, 1)
  })

  const wider: Partial<RotateFamily>[] = [
    { requestedScope: ['orders:write'] },
    { requestedAudience: ['https://x.example'] },
    { clientAudiences: [] },
    { clientScopes: [], requestedScope: ['openid'] },
  ]
  for (const request of wider) {
    t.test(`a retry that asks for ${JSON.stringify(request)} changes nothing`, async (t) => {
      const first = await logIn(store)
      const second = await rotateOn(store, first)
      const answer = await store.rotate(rotation(first, { ...request, nowMs: T0 + 2_000 }))
      t.equal(answer.outcome, 'refused')
      t.strictSame(await read(store, first), second)
    })

    t.test(`a stale token that asks for ${JSON.stringify(request)} is a replay`, async (t) => {
      const first = await logIn(store)
      await rotateOn(store, first)
      const nowMs = T0 + GRACE_MS * 2
      const answer = await store.rotate(rotation(first, { ...request, nowMs }))
      t.equal(answer.outcome, 'replayed')
      t.match(await read(store, first), { ended: { reason: 'reuse_detected', atMs: nowMs } })
    })
  }
}
