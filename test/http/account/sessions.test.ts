// Sessions that people see and end, on both stores: every way in which one can end has its reason.

import { type Test, test } from 'tap'
import type { StartAppOptions } from '../../support/app.ts'
import { logIn, startApp, type TestApp, type TokenAnswer } from '../../support/app.ts'
import { startRedis } from '../../support/redis.ts'

interface Session {
  readonly id: string
  readonly clientId: string
  readonly generation: number
  readonly current: boolean
  readonly status: string
  readonly endedReason?: string
  readonly ip: string
  readonly userAgent: string
  readonly createdAt: string
  readonly lastUsedAt: string
}

const stores: Record<string, (t: Test) => Promise<StartAppOptions['config']>> = {
  postgresql: async () => ({}),
  redis: async (t) => {
    const { port } = await startRedis(t)
    const nodes = [{ host: '127.0.0.1', port }]
    const none = { username: undefined, password: undefined, sentinelName: undefined }
    return { redis: { mode: 'single', tls: false, nodes, db: 0, ...none } }
  },
}

async function openScene(t: Test, config: StartAppOptions['config']) {
  let nowMs = Date.now()
  const app = await startApp(t, { config: config ?? {}, clock: () => nowMs })
  const client = await app.makeClient({
    refreshIdleTtlSeconds: 3600,
    refreshAbsoluteTtlSeconds: 7200,
  })
  const user = await app.makeUser()
  const step = (seconds: number) => {
    nowMs += seconds * 1000
  }
  return { app, client, user, step }
}

async function mine(app: TestApp, token: string, query = ''): Promise<Session[]> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await app.fetch(`/users/me/sessions${query}`, { headers })
  if (answer.status !== 200) throw new Error(`no sessions: ${answer.status}`)
  return ((await answer.json()) as { items: Session[] }).items
}

async function all(app: TestApp, userId: string, query = ''): Promise<Session[]> {
  const answer = await app.admin('GET', `/admin/users/${userId}/sessions${query}`)
  return ((await answer.json()) as { items: Session[] }).items
}

async function refresh(app: TestApp, client: { id: string }, token: string): Promise<TokenAnswer> {
  const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: token }
  return (await (await app.form('/token', form)).json()) as TokenAnswer
}

for (const [name, open] of Object.entries(stores)) {
  test(`${name}: a session says where it came from and how it went on`, async (t) => {
    const { app, client, user, step } = await openScene(t, await open(t))
    const first = await logIn(app, client, user)
    step(60)
    const second = await logIn(app, client, user)
    const next = await refresh(app, client, second.refresh_token)
    const sessions = await mine(app, next.access_token)
    t.match(sessions, [
      { clientId: client.id, generation: 0, current: false, status: 'active', ip: '127.0.0.1' },
      { clientId: client.id, generation: 1, current: true, status: 'active', userAgent: 'node' },
    ])
    t.notOk('endedReason' in (sessions[0] ?? {}))
    t.match(await all(app, user.id), [{ current: false }, { current: false }])
    await app.form('/revoke', { client_id: client.id, token: first.refresh_token })
    t.match(await mine(app, next.access_token, '?status=ended'), [{ id: sessions[0]?.id }])
    t.match(await mine(app, next.access_token, '?status=active'), [{ id: sessions[1]?.id }])
    const headers = { authorization: `Bearer ${next.access_token}` }
    t.equal((await app.fetch('/users/me/sessions?status=odd', { headers })).status, 400)
  })

  const ends: Record<string, (scene: Scene) => Promise<unknown>> = {
    reuse_detected: async ({ app, client, login }) => {
      const one = await refresh(app, client, login.refresh_token)
      await refresh(app, client, one.refresh_token)
      await refresh(app, client, login.refresh_token)
    },
    revoked_by_client: ({ app, client, login }) =>
      app.form('/revoke', { client_id: client.id, token: login.refresh_token }),
    revoked_by_user: async ({ app, login }) => {
      const headers = { authorization: `Bearer ${login.access_token}` }
      const [own] = await mine(app, login.access_token)
      await app.fetch(`/users/me/sessions/${own?.id}`, { method: 'DELETE', headers })
    },
    revoked_by_admin: async ({ app, user }) => {
      const [session] = await all(app, user.id)
      await app.admin('DELETE', `/admin/users/${user.id}/sessions/${session?.id}`)
    },
    password_changed: ({ app, user }) =>
      app.admin('PUT', `/admin/users/${user.id}/password`, { password: 'another password' }),
    user_disabled: ({ app, user }) =>
      app.admin('PATCH', `/admin/users/${user.id}`, { status: 'disabled' }),
    logged_out_everywhere: ({ app, user }) =>
      app.admin('DELETE', `/admin/users/${user.id}/sessions`),
    client_sessions_ended: ({ app, client }) =>
      app.admin('DELETE', `/admin/clients/${client.id}/sessions`),
    idle_expired: async ({ step }) => step(3600),
    absolute_expired: async ({ app, client, login, step }) => {
      step(3000)
      const one = await refresh(app, client, login.refresh_token)
      step(3000)
      await refresh(app, client, one.refresh_token)
      step(1200)
    },
  }
  type Scene = Awaited<ReturnType<typeof openScene>> & { login: TokenAnswer }

  for (const [reason, act] of Object.entries(ends)) {
    test(`${name}: ${reason} is what an ended session says, and stays so`, async (t) => {
      const scene = await openScene(t, await open(t))
      const { app, client, user, step } = scene
      await act({ ...scene, login: await logIn(app, client, user) })
      step(1)
      t.match(await all(app, user.id), [{ status: 'ended', endedReason: reason }])
      await app.admin('DELETE', `/admin/users/${user.id}/sessions`)
      t.match(await all(app, user.id), [{ endedReason: reason }], 'whatever came first in time')
    })
  }

  test(`${name}: ending all but this keeps this one, and ending is repeatable`, async (t) => {
    const { app, client, user, step } = await openScene(t, await open(t))
    await logIn(app, client, user)
    step(1)
    const kept = await logIn(app, client, user)
    const headers = { authorization: `Bearer ${kept.access_token}` }
    for (const _ of [1, 2]) {
      const answer = await app.fetch('/users/me/sessions', { method: 'DELETE', headers })
      t.equal(answer.status, 204)
      t.match(await mine(app, kept.access_token), [
        { status: 'ended', endedReason: 'logged_out_everywhere' },
        { status: 'active', current: true },
      ])
    }
    t.ok((await refresh(app, client, kept.refresh_token)).access_token)
    for (const id of ['nonsense', '11111111-1111-4111-8111-111111111111']) {
      const path = `/users/me/sessions/${id}`
      t.equal((await app.fetch(path, { method: 'DELETE', headers })).status, 204, id)
      t.equal((await app.admin('DELETE', `/admin/users/${id}/sessions`)).status, 204)
      t.equal((await app.admin('GET', `/admin/users/${id}/sessions`)).status, 404)
    }
  })

  test(`${name}: nobody ends another's session`, async (t) => {
    const { app, client, user } = await openScene(t, await open(t))
    const login = await logIn(app, client, user)
    const [session] = await mine(app, login.access_token)
    const stranger = await logIn(app, client, await app.makeUser())
    const headers = { authorization: `Bearer ${stranger.access_token}` }
    const path = `/users/me/sessions/${session?.id}`
    t.equal((await app.fetch(path, { method: 'DELETE', headers })).status, 204, 'nothing is told')
    t.match(await mine(app, login.access_token), [{ status: 'active' }], 'nothing happens')
  })
}

for (const [name, open] of Object.entries(stores)) {
  test(`${name}: session_limit ends the least recently used of more than 100`, async (t) => {
    const { app, client, user, step } = await openScene(t, await open(t))
    const first = await logIn(app, client, user)
    for (let logins = 1; logins < 100; logins += 1) {
      step(1)
      await logIn(app, client, user)
    }
    step(1)
    const kept = await refresh(app, client, first.refresh_token)
    step(1)
    await logIn(app, client, user)
    const sessions = await all(app, user.id, '?limit=200')
    t.equal(sessions.length, 101)
    const ended = sessions.filter(({ status }) => status === 'ended')
    t.match(ended, [{ id: sessions[1]?.id, endedReason: 'session_limit' }], 'not the one in use')
    t.equal(ended.length, 1)
    t.ok((await refresh(app, client, kept.refresh_token)).access_token)
  })
}
