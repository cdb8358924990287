// What each kind of request counts as, on both stores.

import { type Test, test } from 'tap'
import { logIn, startApp, type TestApp } from '../support/app.ts'
import { readMetrics, risesSince } from '../support/metrics.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Which series rise by how much while `work` runs, of those whose name begins so. */
async function counted(app: TestApp, names: string, work: () => Promise<unknown>) {
  const before = await readMetrics(app)
  await work()
  const after = await readMetrics(app)
  const rises = Object.entries(risesSince(before, after))
  return Object.fromEntries(rises.filter(([series]) => series.startsWith(names)))
}

const asRefresh = (app: TestApp, client: { id: string }, token: string, extra = {}) =>
  app.form('/token', {
    grant_type: 'refresh_token',
    client_id: client.id,
    refresh_token: token,
    ...extra,
  })

async function checkSessions(t: Test, config: Parameters<typeof startApp>[1]): Promise<void> {
  let nowMs = Date.now()
  const app = await startApp(t, { ...config, clock: () => nowMs })
  const client = await app.makeClient({ refreshGraceSeconds: 10 })
  const user = await app.makeUser()
  const outcomes = (names: string, work: () => Promise<unknown>) => counted(app, names, work)
  const refreshes = (work: () => Promise<unknown>) => outcomes('lineage_refresh_total', work)
  const one = (outcome: string) => ({ [`lineage_refresh_total{outcome="${outcome}"}`]: 1 })

  const { refresh_token: first } = await logIn(app, client, user)
  let second = ''
  t.strictSame(
    await refreshes(async () => {
      const answer = await asRefresh(app, client, first)
      second = ((await answer.json()) as { refresh_token: string }).refresh_token
    }),
    one('rotated'),
  )
  t.strictSame(await refreshes(() => asRefresh(app, client, first)), one('retried'))
  t.strictSame(
    await refreshes(() => asRefresh(app, client, second, { scope: 'never:granted' })),
    one('refused'),
  )
  t.strictSame(await refreshes(() => asRefresh(app, client, 'lrt_nothing')), one('invalid'))
  nowMs += 11_000
  t.strictSame(
    await outcomes('lineage_family_ends_total', async () => {
      t.strictSame(await refreshes(() => asRefresh(app, client, first)), one('replayed'))
    }),
    { 'lineage_family_ends_total{reason="reuse_detected"}': 1 },
  )
  t.strictSame(await refreshes(() => asRefresh(app, client, second)), one('inactive'))
  t.strictSame(await outcomes('lineage_token_requests', () => asRefresh(app, client, second)), {
    'lineage_token_requests_total{grant="refresh_token",outcome="invalid_grant"}': 1,
  })
}

test('families in PostgreSQL: what comes of a refresh token', async (t) => {
  await checkSessions(t, {})
})

test('families in Redis: what comes of a refresh token, and what was asked of Redis', async (t) => {
  const { port } = await startRedis(t)
  const nodes = [{ host: '127.0.0.1', port }]
  const none = { username: undefined, password: undefined, sentinelName: undefined }
  const redis = { mode: 'single', tls: false, nodes, db: 0, ...none } as const
  await checkSessions(t, { config: { redis } })
  const app = await startApp(t, { config: { redis } })
  const client = await app.makeClient({})
  const { refresh_token: token } = await logIn(app, client, await app.makeUser())
  const calls = await counted(
    app,
    'lineage_dependency_duration_seconds_count{dependency="redis"',
    () => asRefresh(app, client, token),
  )
  t.strictSame(calls, {
    'lineage_dependency_duration_seconds_count{dependency="redis",operation="rotate"}': 1,
  })
})

test('what ends families, one act at a time', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const ends = async (reason: string, work: () => Promise<unknown>) => {
    const counts = await counted(app, 'lineage_family_ends_total', work)
    t.strictSame(counts, { [`lineage_family_ends_total{reason="${reason}"}`]: 1 }, reason)
  }
  const { refresh_token: token } = await logIn(app, client, user)
  const revoke = (sent: string) => app.form('/revoke', { client_id: client.id, token: sent })
  await ends('revoked_by_client', () => revoke(token))
  const { access_token: access } = await logIn(app, client, user)
  t.strictSame(await counted(app, 'lineage_family_ends_total', () => revoke(access)), {})
  await ends('logged_out_everywhere', () => app.admin('DELETE', `/admin/users/${user.id}/sessions`))
  await ends('client_sessions_ended', () =>
    app.admin('DELETE', `/admin/clients/${client.id}/sessions`),
  )
  await ends('user_disabled', () =>
    app.admin('PATCH', `/admin/users/${user.id}`, { status: 'disabled' }),
  )
  await ends('user_deleted', () => app.admin('DELETE', `/admin/users/${user.id}`))
})

test('a login counts once it has come to its credentials', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const attempt = (password: string, extra: Record<string, string> = {}) =>
    app.form('/token', {
      ...{ grant_type: 'password', client_id: client.id, username: user.username },
      ...{ password, ...extra },
    })
  const logins = (work: () => Promise<unknown>) => counted(app, 'lineage_logins_total', work)
  const one = (outcome: string) => ({ [`lineage_logins_total{outcome="${outcome}"}`]: 1 })
  t.strictSame(await logins(() => attempt(user.password)), one('ok'))
  t.strictSame(await logins(() => attempt('a wrong one')), one('failed'))
  t.strictSame(await logins(() => attempt(user.password, { client_id: 'nobody' })), {})
  t.strictSame(await logins(() => attempt(user.password, { scope: 'never:granted' })), {})
  for (let wrong = 1; wrong < 10; wrong += 1) await attempt('a wrong one')
  t.strictSame(
    await counted(app, 'lineage_throttled_total', async () => {
      t.strictSame(await logins(() => attempt(user.password)), one('throttled'))
    }),
    { 'lineage_throttled_total{budget="pair"}': 1 },
  )
})

test('requests count by pattern, method and class; events wait until they are written', async (t) => {
  const app = await startApp(t)
  await until('the table has all events', async () => {
    return (await readMetrics(app)).get('lineage_events_waiting') === 0
  })
  const name = 'lineage_http_request_duration_seconds_count'
  const requests = async (path: string, method = 'GET') => {
    const rises = await counted(app, name, () => app.fetch(path, { method }))
    // Reading the metrics is a request as well.
    delete rises[`${name}{route="/metrics",method="GET",status_class="2xx"}`]
    return rises
  }
  t.strictSame(await requests('/livez'), {
    [`${name}{route="/livez",method="GET",status_class="2xx"}`]: 1,
  })
  t.strictSame(await requests(`/nothing/${'x'.repeat(20)}`), {
    [`${name}{route="none",method="GET",status_class="4xx"}`]: 1,
  })
  t.strictSame(await requests('/token', 'PROPFIND'), {
    [`${name}{route="/token",method="other",status_class="4xx"}`]: 1,
  })
  t.strictSame(await requests('/.well-known/jwks.json'), {
    [`${name}{route="/.well-known/jwks.json",method="GET",status_class="2xx"}`]: 1,
  })
})
