// Reading back: inspect, list, and single revoked access tokens.

import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { ClientId } from '../../src/clients/client.ts'
import type { Family, FamilyId, TokenOwner } from '../../src/families/family.ts'
import type { UserId } from '../../src/users/user.ts'
import {
  ABSOLUTE_MS,
  ending,
  listAll,
  logIn,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  rotateOn,
  T0,
} from './family-bench.ts'

export async function runInspectCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const bench = await open(t)
  const { store } = bench

  const contents: [string, Partial<Family>][] = [
    ['a unicode user agent', { userAgent: 'Läufer/1 “日本語” 👩‍💻 \\ \' " {} %s' }],
    ['empty lists and an empty address', { scope: [], audience: [], ip: '', userAgent: '' }],
    ['one scope, one audience', { scope: ['a'], audience: ['https://a.example'] }],
    [
      '8 audiences in their order',
      { audience: [3, 1, 2, 8, 7, 6, 5, 4].map((i) => `https://a${i}.example/ü?x=1&y={"z"},`) },
    ],
    ['64 scopes with every allowed character', { scope: Array.from({ length: 64 }, scopeName) }],
    ['an IPv6 address', { ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348' }],
    ['a long user agent', { userAgent: 'x'.repeat(512) }],
  ]
  for (const [what, content] of contents) {
    t.test(`${what} comes back as it was, through every method`, async (t) => {
      const user = newUser({ roles: [], epochLog: [] })
      const family = await logIn(store, user, content)
      t.match(family, content)
      const { userId, familyId } = family
      t.strictSame(await store.inspect({ owner: { userId }, familyId }), {
        family,
        user,
        tokenRevoked: false,
      })
      t.strictSame(await listAll(store, userId), { user, families: [family] })
      const { ip, userAgent } = family
      const request = {
        ip,
        userAgent,
        clientAudiences: family.audience,
        clientScopes: family.scope,
      }
      // An audience is needed for a token, so the grant without one cannot rotate.
      if (family.audience.length === 0) return
      t.match(await rotateOn(store, family, request), content)
    })
  }

  t.test('a record comes back as it was, 32 epochs and 32 roles long', async (t) => {
    let user = newUser({ roles: Array.from({ length: 32 }, (_, i) => `Role:${i}._-`) })
    for (let i = 0; i < 32; i += 1) user = nextEpoch(user, 'password_changed', T0 - 100 + i)
    await store.putUser(user)
    t.strictSame(await listAll(store, user.userId), { user, families: [] })
    t.strictSame((await store.inspect({ owner: { userId: user.userId } })).user, user)
  })

  t.test('what is not there is undefined', async (t) => {
    const userId = randomUUID() as UserId
    const familyId = randomUUID() as FamilyId
    const nothing = { family: undefined, user: undefined, tokenRevoked: false }
    t.strictSame(await store.inspect({ owner: { userId }, familyId, jti: 'x' }), nothing)
    t.strictSame(await listAll(store, userId), { user: undefined, families: [] })
    const stranger = await logIn(store)
    const { family } = await store.inspect({ owner: { userId }, familyId: stranger.familyId })
    t.equal(family, undefined, "another user's family is not there")
  })

  t.test('a list is oldest first, with the ended ones, of this user only', async (t) => {
    const user = newUser()
    const made: Family[] = []
    for (const offset of [5, 1, 9, 3]) made.push(await logIn(store, user, {}, T0 + offset))
    await logIn(store)
    const [five, one, nine, three] = made
    if (!five || !one || !nine || !three) throw new Error('no families')
    await store.end(ending(nine, { atMs: T0 + 100 }))
    const rotated = await rotateOn(store, one, { nowMs: T0 + 100 })
    t.strictSame((await listAll(store, user.userId)).families, [
      rotated,
      three,
      five,
      { ...nine, ended: { reason: 'revoked_by_user', atMs: T0 + 100 } },
    ])
  })

  const owners = (): TokenOwner[] => [
    { userId: randomUUID() as UserId },
    { clientId: `c-${randomUUID().slice(0, 8)}` as ClientId },
  ]
  t.test('a revoked token is known of its owner only (C86)', async (t) => {
    const [jti, expiresAtMs] = ['jti-1', bench.nowMs() + ABSOLUTE_MS]
    const [user, client] = owners()
    const [otherUser, otherClient] = owners()
    if (!user || !client || !otherUser || !otherClient) throw new Error('no owners')
    await store.revokeToken({ owner: user, jti, expiresAtMs }, bench.nowMs())
    await store.revokeToken({ owner: client, jti: 'jti-2', expiresAtMs }, bench.nowMs())
    const revoked = async (owner: TokenOwner, of: string) =>
      (await store.inspect({ owner, jti: of })).tokenRevoked
    t.equal(await revoked(user, 'jti-1'), true)
    t.equal(await revoked(client, 'jti-2'), true)
    for (const owner of [client, otherUser, otherClient]) {
      t.equal(await revoked(owner, 'jti-1'), false)
    }
    for (const owner of [user, otherUser, otherClient]) {
      t.equal(await revoked(owner, 'jti-2'), false)
    }
    t.equal((await store.inspect({ owner: user })).tokenRevoked, false, 'no token, none revoked')
  })

  t.test('a token counts as revoked with any of those that it was exchanged from', async (t) => {
    const expiresAtMs = bench.nowMs() + ABSOLUTE_MS
    for (const owner of owners()) {
      await store.revokeToken({ owner, jti: 'second', expiresAtMs }, bench.nowMs())
      const revoked = async (jti: string, earlierJtis: readonly string[]) =>
        (await store.inspect({ owner, jti, earlierJtis })).tokenRevoked
      t.equal(await revoked('third', ['first', 'second']), true)
      t.equal(await revoked('third', ['second']), true)
      t.equal(await revoked('second', ['first']), true)
      t.equal(await revoked('third', ['first']), false)
      t.equal(await revoked('third', []), false)
    }
  })

  t.test('an owner named alike as user and as client is two owners', async (t) => {
    const id = randomUUID()
    const expiresAtMs = bench.nowMs() + ABSOLUTE_MS
    const owner = { userId: id as UserId }
    await store.revokeToken({ owner, jti: 'jti', expiresAtMs }, bench.nowMs())
    const client = await store.inspect({ owner: { clientId: id as ClientId }, jti: 'jti' })
    t.equal(client.tokenRevoked, false)
  })

  t.test('a revoked token is forgotten after its expiry, not before', async (t) => {
    for (const owner of owners()) {
      const [shortly, later] = [bench.nowMs() + 1_500, bench.nowMs() + ABSOLUTE_MS]
      await store.revokeToken({ owner, jti: 'short', expiresAtMs: shortly }, bench.nowMs())
      await store.revokeToken({ owner, jti: 'long', expiresAtMs: later }, bench.nowMs())
      // Twice is once, and an earlier expiry never shortens the first.
      await store.revokeToken({ owner, jti: 'long', expiresAtMs: later }, bench.nowMs())
      const early = await store.inspect({ owner, jti: 'short' })
      t.ok(early.tokenRevoked || bench.nowMs() >= shortly, 'revoked while it would be valid')
      await bench.reach(shortly + 50)
      t.equal((await store.inspect({ owner, jti: 'short' })).tokenRevoked, false)
      t.equal((await store.inspect({ owner, jti: 'long' })).tokenRevoked, true)
    }
  })

  t.test('revoking a token that has expired is no error', async (t) => {
    for (const owner of owners()) {
      for (const ago of [0, 1, ABSOLUTE_MS]) {
        const expiresAtMs = bench.nowMs() - ago
        await t.resolves(store.revokeToken({ owner, jti: 'old', expiresAtMs }, bench.nowMs()))
      }
    }
  })
}

function scopeName(_: unknown, i: number): string {
  return `scope:${i}!#$%&'()*+,-./;<=>?@[]^_\`{|}~`
}
