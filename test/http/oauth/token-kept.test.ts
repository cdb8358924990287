// Refresh tokens that are answered with themselves, over HTTP: when, with which access token, and until
// when the answer says that one can refresh (docs/semantics.md §3, §15).

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import type { ClientInput } from '../../../src/clients/client-draft.ts'
import { logIn, startApp, type TokenAnswer } from '../../support/app.ts'

/** A whole second, and after the client is made by the clock of the database. */
const T0 = Math.ceil(Date.now() / 1000 + 3_600) * 1000

async function openScene(t: Test, settings: Partial<ClientInput>) {
  // No session begins in the moment in which its client is made.
  let nowMs = T0 - 1_000
  const app = await startApp(t, { clock: () => nowMs })
  const client = await app.makeClient({ scopes: ['read'], defaultScopes: ['read'], ...settings })
  const user = await app.makeUser()
  nowMs = T0
  const first = await logIn(app, client, user)

  async function refresh(token: string, atMs: number) {
    nowMs = T0 + atMs
    const answer = await app.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      client_secret: client.secret || undefined,
      refresh_token: token,
    })
    return (await answer.json()) as TokenAnswer & { error?: string }
  }

  async function session() {
    const answer = await app.admin('GET', `/admin/users/${user.id}/sessions`)
    const { items } = (await answer.json()) as { items: Record<string, unknown>[] }
    return items[0]
  }
  return { app, client, first, refresh, session }
}

const CONFIDENTIAL = { type: 'confidential' } as const

test('a young refresh token comes again, with an access token of now', async (t) => {
  const { app, first, refresh, session } = await openScene(t, { refreshRotateAfterSeconds: 60 })
  const kept = await refresh(first.refresh_token, 10_000)
  t.equal(kept.refresh_token, first.refresh_token)
  const [before, after] = [decodeJwt(first.access_token), decodeJwt(kept.access_token)]
  t.equal(after.iat, Number(before.iat) + 10)
  t.equal(after.exp, Number(before.exp) + 10)
  t.equal(kept.expires_in, 600)
  t.not(after.jti, before.jti)
  t.strictSame({ ...after, iat: 0, exp: 0, jti: '' }, { ...before, iat: 0, exp: 0, jti: '' })
  const same = await refresh(first.refresh_token, 10_900)
  t.strictSame(decodeJwt(same.access_token), after, 'the same second is the same token')
  const next = await refresh(first.refresh_token, 11_000)
  t.not(decodeJwt(next.access_token).jti, after.jti)
  const lastUsedAt = new Date(T0).toISOString()
  t.match(await session(), { generation: 0, lastUsedAt }, 'nothing was written')
  const rotated = await refresh(first.refresh_token, 60_000)
  t.not(rotated.refresh_token, first.refresh_token)
  t.match(await session(), { generation: 1, lastUsedAt: new Date(T0 + 60_000).toISOString() })
  t.notOk(
    app.log.some((line) => line.event?.startsWith('refresh.')),
    'nothing to tell',
  )
})

test('each kept access token can be taken back alone', async (t) => {
  const settings = { ...CONFIDENTIAL, refreshRotateAfterSeconds: 60 }
  const { app, client, first, refresh } = await openScene(t, settings)
  const one = await refresh(first.refresh_token, 1_000)
  const two = await refresh(first.refresh_token, 2_000)
  const own = { client_id: client.id, client_secret: client.secret }
  await app.form('/revoke', { token: one.access_token, ...own })
  const isActive = async (token: string) =>
    (await (await app.form('/introspect', { token, ...own })).json()) as { active: boolean }
  t.match(await isActive(one.access_token), { active: false })
  t.match(await isActive(two.access_token), { active: true })
  t.match(await isActive(first.access_token), { active: true })
})

test('a confidential client may never rotate, and lives by its use', async (t) => {
  const settings = {
    ...CONFIDENTIAL,
    refreshRotation: 'never',
    refreshIdleTtlSeconds: 1_000,
    refreshAbsoluteTtlSeconds: 2_500,
    refreshGraceSeconds: 0,
  } as const
  const { app, first, refresh, session } = await openScene(t, settings)
  for (const at of [900_000, 1_800_000, 2_400_000]) {
    const kept = await refresh(first.refresh_token, at)
    t.equal(kept.refresh_token, first.refresh_token)
    t.match(await session(), { generation: 0, lastUsedAt: new Date(T0 + at).toISOString() })
  }
  const one = await refresh(first.refresh_token, 2_450_000)
  t.equal(one.expires_in, 50, 'never beyond the end of the session')
  t.equal(one.refresh_token_expires_in, 50)
  t.equal(one.authorization_expires_in, 50)
  const later = await refresh(first.refresh_token, 2_460_000)
  const ids = [one, later].map(({ access_token: token }) => decodeJwt(token))
  t.equal(ids[0]?.exp, ids[1]?.exp)
  t.not(ids[0]?.jti, ids[1]?.jti, 'other claims, another id')
  t.match(await refresh(first.refresh_token, 2_500_000), { error: 'invalid_grant' })
  t.ok(app.log.some((line) => line.reason === 'refresh_family_absolute_expired'))
})

test('every answer with a refresh token says how long it is of use', async (t) => {
  const settings = { refreshIdleTtlSeconds: 1_000, refreshAbsoluteTtlSeconds: 2_500 }
  const { first, refresh } = await openScene(t, settings)
  const until = ({ refresh_token_expires_in, authorization_expires_in }: TokenAnswer) => [
    refresh_token_expires_in,
    authorization_expires_in,
  ]
  t.strictSame(until(first), [1_000, 2_500])
  const second = await refresh(first.refresh_token, 600_000)
  t.strictSame(until(second), [1_000, 1_900])
  const again = await refresh(first.refresh_token, 610_000)
  t.strictSame(until(again), [990, 1_890], 'an answer that is repeated counts from now')
  const third = await refresh(second.refresh_token, 1_590_000)
  t.strictSame(until(third), [910, 910], 'never longer than the session')
})

test('a token without a refresh token says nothing of it', async (t) => {
  const { client, app } = await openScene(t, {
    ...CONFIDENTIAL,
    grantTypes: ['password', 'refresh_token', 'client_credentials'],
  })
  const own = { client_id: client.id, client_secret: client.secret }
  const answer = await app.form('/token', { grant_type: 'client_credentials', ...own })
  const members = Object.keys((await answer.json()) as object)
  t.strictSame(members, ['access_token', 'token_type', 'expires_in', 'scope'])
})
