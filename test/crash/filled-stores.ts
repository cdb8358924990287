// A little of everything that the stores can hold, made by the service itself: for what walks them.

import type { Test } from 'tap'
import type { RedisTarget } from '../../src/redis/redis-target.ts'
import { asUser, readAuthenticator } from '../scenes/factor-scene.ts'
import { logIn, startApp, type TestApp } from '../support/app.ts'
import { until } from '../support/until.ts'

/** Runs a service on both stores until all of it is there; it has ended with the test. */
export async function fillStores(t: Test, databaseUrl: string, redis: RedisTarget): Promise<void> {
  const app = await startApp(t, { config: { redis }, beside: { databaseUrl } })
  await app.admin('POST', '/admin/webhooks', {
    url: 'https://hooks.example.com/a',
    events: ['user.created'],
  })
  const client = await app.makeClient({})
  await app.makeClient({ type: 'confidential', grantTypes: ['client_credentials'] })
  const [ada, bob, eve, dan] = [
    await app.makeUser({ roles: ['editor'] }),
    await app.makeUser(),
    await app.makeUser(),
    await app.makeUser(),
  ]
  const [session, ended, own, other] = [
    await logIn(app, client, ada),
    await logIn(app, client, ada),
    await logIn(app, client, bob),
    await logIn(app, client, bob),
  ]
  await expect(200, refreshed(app, client.id, session.refresh_token))
  await expect(200, app.form('/revoke', { client_id: client.id, token: ended.refresh_token }))
  const single = await logIn(app, client, ada)
  await expect(200, app.form('/revoke', { client_id: client.id, token: single.access_token }))
  await expect(204, asUser(app, own.access_token, 'DELETE', 'sessions'))
  await expect(400, refreshed(app, client.id, other.refresh_token))
  await enrol(app, own.access_token)
  await logIn(app, client, eve)
  await expect(200, app.admin('PATCH', `/admin/users/${eve.id}`, { status: 'disabled' }))
  await logIn(app, client, dan)
  await expect(204, app.admin('DELETE', `/admin/users/${dan.id}`))
  await until('the events', async () => {
    const answer = await app.admin('GET', '/admin/events?type=user.deleted')
    return ((await answer.json()) as { items: unknown[] }).items.length === 1
  })
}

function refreshed(app: TestApp, clientId: string, token: string): Promise<Response> {
  const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: token }
  return app.form('/token', form)
}

async function enrol(app: TestApp, token: string): Promise<void> {
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const factor = readAuthenticator((await made.json()) as { id: string; otpauthUri: string })
  const code = factor.code(Date.now())
  await expect(200, asUser(app, token, 'POST', `factors/${factor.id}/activate`, { code }))
}

async function expect(status: number, sent: Promise<Response>): Promise<void> {
  const answer = await sent
  if (answer.status !== status) throw new Error(`${answer.status}: ${await answer.text()}`)
}
