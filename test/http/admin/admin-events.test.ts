// /admin/events: what is recorded of each kind of act, by whom and from where, and how it is found
// again.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { ADMIN, ISSUER, logIn, startApp, type TestApp } from '../../support/app.ts'
import { readEvents, waitForEvent } from '../../support/audit.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** An event of this type with these members and the common ones, and with no others. */
async function checkEvent(
  t: Test,
  app: TestApp,
  type: Parameters<typeof waitForEvent>[1],
  expected: { subject?: string; clientId?: string; sessionId?: string } & Record<string, unknown>,
) {
  const { subject, clientId, sessionId } = expected
  const about = {
    ...(subject !== undefined && { subject }),
    ...(clientId !== undefined && { clientId }),
    ...(sessionId !== undefined && { sessionId }),
  }
  const { id, at, ip, userAgent, ...rest } = await waitForEvent(app, type, about)
  t.strictSame(rest, { type, ...expected }, type)
  t.match(id, UUID)
  t.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
  t.equal(ip, '127.0.0.1')
  t.match(userAgent, /node/)
  return id
}

test('a login, a replay and a revocation are events of one session', async (t) => {
  const app = await startApp(t, { config: { refreshGraceSeconds: 0 } })
  const client = await app.makeClient({ id: 'web' })
  const user = await app.makeUser()
  const first = await logIn(app, client, user)
  const refresh = (token: string) =>
    app.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: token,
    })
  await refresh(first.refresh_token)
  await refresh(first.refresh_token)
  const login = await waitForEvent(app, 'login.succeeded', { subject: user.id })
  const sessionId = login.sessionId ?? ''
  const about = { subject: user.id, clientId: 'web', sessionId }
  await checkEvent(t, app, 'login.succeeded', { ...about, detail: { amr: ['pwd'] } })
  await checkEvent(t, app, 'refresh.reuse_detected', about)

  const second = await logIn(app, client, user)
  const { sid } = decodeJwt(second.access_token) as { sid: string }
  const revoked = { reason: 'revoked_by_client', subject: user.id, clientId: 'web' }
  await app.form('/revoke', { client_id: client.id, token: second.access_token })
  await checkEvent(t, app, 'token.revoked', revoked)
  await app.form('/revoke', { client_id: client.id, token: second.refresh_token })
  await checkEvent(t, app, 'token.revoked', { ...revoked, sessionId: sid })
})

test('failed logins of a minute are one event that counts them (C60)', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1, 12, 0, 10)
  const app = await startApp(t, { clock: () => nowMs })
  const client = await app.makeClient({ id: 'web' })
  const { username } = await app.makeUser()
  const fail = (name: string) =>
    app.form('/token', {
      grant_type: 'password',
      client_id: client.id,
      username: name,
      password: 'a wrong password',
    })
  await fail(username)
  const one = await waitForEvent(app, 'login.failed')
  t.match(one, { reason: 'login_password_wrong', clientId: 'web', detail: { count: 1 } })
  nowMs += 5_000
  await fail('hunter2-typed-as-a-name')
  await fail(username)
  const isCounted = async () => (await waitForEvent(app, 'login.failed')).detail?.count === 3
  while (!(await isCounted()));
  const [counted, ...others] = await readEvents(app, '&type=login.failed')
  t.strictSame(others, [])
  t.strictSame(counted?.detail, {
    count: 3,
    firstAt: '2026-06-01T12:00:10.000Z',
    lastAt: '2026-06-01T12:00:15.000Z',
  })
  t.equal(counted?.at, '2026-06-01T12:00:10.000Z')
  t.equal(counted?.clientId, 'web', 'what they have in common stays')
  t.notOk(counted && 'reason' in counted, 'and what they have not is left out')
  nowMs += 60_000
  await fail(username)
  while ((await readEvents(app, '&type=login.failed')).length < 2);
})

test('what an administrator does to an account says who did it', async (t) => {
  const app = await startApp(t)
  const detail = { by: ADMIN.id }
  const { id: subject } = await app.makeUser()
  const path = `/admin/users/${subject}`
  await checkEvent(t, app, 'user.created', { subject, detail })
  await app.admin('PATCH', path, { roles: ['editor'], emailVerified: false })
  await checkEvent(t, app, 'user.updated', { subject, detail: { ...detail, changed: ['roles'] } })
  await app.admin('PATCH', path, { roles: ['editor'] })
  await app.admin('PATCH', path, { status: 'disabled' })
  const disabled = { ...detail, changed: ['status'] }
  await checkEvent(t, app, 'user.disabled', { subject, detail: disabled })
  await app.admin('PATCH', path, { status: 'disabled' })
  await app.admin('PUT', `${path}/password`, { password: 'another password' })
  await checkEvent(t, app, 'user.password_changed', { subject, detail })
  await app.admin('DELETE', `${path}/sessions`)
  const reason = 'logged_out_everywhere'
  await checkEvent(t, app, 'token.revoked', { reason, subject, detail })
  await app.admin('DELETE', path)
  await app.admin('DELETE', path)
  await checkEvent(t, app, 'user.deleted', { subject, detail })
  const types = (await readEvents(app, `&subject=${subject}`)).map(({ type }) => type)
  t.strictSame(
    types,
    [
      ...['user.deleted', 'token.revoked', 'user.password_changed'],
      ...['user.disabled', 'user.updated', 'user.created'],
    ],
    'newest first; what changed nothing is no event',
  )
})

test('what somebody does to an account of their own says so too', async (t) => {
  const app = await startApp(t, { config: { registration: 'open' } })
  const client = await app.makeClient({ audiences: [ISSUER] })
  const account = { username: 'alice', email: 'alice@example.org', password: 'correct horse' }
  const registered = await app.fetch('/users', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  })
  const { id: subject } = (await registered.json()) as { id: string }
  await checkEvent(t, app, 'user.created', { subject })
  const { access_token } = await logIn(app, client, account)
  const { sessionId = '' } = await waitForEvent(app, 'login.succeeded', { subject })
  await app.fetch('/users/me/password', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${access_token}` },
    body: JSON.stringify({ currentPassword: account.password, newPassword: 'something else' }),
  })
  const detail = { by: subject }
  await checkEvent(t, app, 'user.password_changed', { subject, sessionId, detail })
  const text = JSON.stringify(await readEvents(app))
  for (const typed of [...Object.values(account), 'something else', access_token]) {
    t.notOk(text.includes(typed), `without ${typed.slice(0, 8)}`)
  }
})

test('what is done to clients and keys is recorded, never with a secret', async (t) => {
  const app = await startApp(t)
  const by = ADMIN.id
  const input = { type: 'confidential', grantTypes: ['client_credentials'] } as const
  const { id: clientId, secret } = await app.makeClient(input)
  const path = `/admin/clients/${clientId}`
  await checkEvent(t, app, 'client.created', { clientId, detail: { by } })
  await app.admin('PATCH', path, { name: 'Renamed', scopes: ['a'] })
  const changed = ['name', 'scopes']
  await checkEvent(t, app, 'client.updated', { clientId, detail: { by, changed } })
  const answer = await app.admin('POST', `${path}/secrets`)
  const added = (await answer.json()) as { id: string; clientSecret: string }
  const detail = { by, secretId: added.id }
  await checkEvent(t, app, 'client.secret_added', { clientId, detail })
  await app.admin('DELETE', `${path}/secrets/${added.id}`)
  await checkEvent(t, app, 'client.secret_removed', { clientId, detail })
  await app.admin('DELETE', `${path}/sessions`)
  const reason = 'client_sessions_ended'
  await checkEvent(t, app, 'token.revoked', { reason, clientId, detail: { by } })
  await app.admin('DELETE', path)
  await app.admin('DELETE', path)
  await checkEvent(t, app, 'client.deleted', { clientId, detail: { by } })
  t.equal((await readEvents(app, `&clientId=${clientId}&type=client.deleted`)).length, 1)

  const old = app.service.keys.list()[0]?.kid
  await app.admin('POST', '/admin/keys/rotate', { compromised: true })
  await waitForEvent(app, 'key.compromised')
  const keys = await readEvents(app, '&type=key.published,key.activated,key.compromised')
  const kid = app.service.keys.list()[0]?.kid
  t.strictSame(
    keys.map((event) => `${event.type} ${event.detail?.kid}`).sort(),
    [
      ...[`key.activated ${kid}`, `key.activated ${old}`, `key.compromised ${old}`],
      ...[`key.published ${kid}`, `key.published ${old}`],
    ].sort(),
  )
  const actors = keys.map(({ type, detail }) => `${type} ${detail?.kid} ${detail?.by}`)
  t.ok(actors.includes(`key.published ${kid} ${by}`), 'by whom it was asked for')
  t.ok(actors.includes(`key.compromised ${old} ${by}`))
  t.ok(actors.includes(`key.published ${old} undefined`), 'the first one came by itself')
  const text = JSON.stringify(await readEvents(app))
  for (const shown of [secret, added.clientSecret, 'Renamed']) t.notOk(text.includes(shown))
})

test('pages and filters give every event once, newest first', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1, 12)
  const app = await startApp(t, { clock: () => nowMs })
  const subjects: string[] = []
  for (let count = 0; count < 5; count += 1) {
    nowMs += count < 3 ? 0 : 1_000
    subjects.push((await app.makeUser()).id)
  }
  await waitForEvent(app, 'user.created', { subject: subjects[4] ?? '' })
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const answer = await app.admin('GET', `/admin/events?limit=2&type=user.created${query}`)
    const page = (await answer.json()) as {
      items: { subject: string }[]
      nextCursor: string | null
    }
    seen.push(...page.items.map(({ subject }) => subject))
    cursor = page.nextCursor
  }
  t.strictSame(seen, subjects.toReversed(), 'also within one millisecond')
  const since = '2026-06-01T12:00:01Z'
  const until = '2026-06-01T14:00:02%2B02:00'
  const subjectsOf = async (query: string) =>
    (await readEvents(app, `&type=user.created${query}`)).map(({ subject }) => subject)
  t.strictSame(await subjectsOf(`&since=${since}`), [subjects[4], subjects[3]])
  t.strictSame(await subjectsOf(`&since=${since}&until=${until}`), [subjects[3]])
  t.strictSame(await readEvents(app, '&clientId=nobody'), [])
  t.strictSame(await readEvents(app, '&sessionId=nobody'), [])
})

test('a query that is none is 400, and who may not is told nothing', async (t) => {
  const app = await startApp(t)
  const cases = [
    ...['type=', 'type=login', 'type=login.failed,', 'type=login.failed&type=login.failed'],
    ...['subject=', 'subject=a%20b', 'clientId=%00', 'sessionId=a&sessionId=b'],
    ...['since=yesterday', 'until=2026-13-01', 'since=1', 'until=2026-06-01T12:00:00'],
    ...['since=0000-01-01', 'since=1969-12-31T23:59:59Z', 'until=9999-12-31T23:59:59-14:00'],
    ...['since=2026-02-30', 'until=2026-02-29T12:00:00Z', 'since=2026-06-31'],
    ...['limit=0', 'limit=201', 'cursor=x', `cursor=${Buffer.from('1 x').toString('base64url')}`],
  ]
  for (const query of cases) {
    const answer = await app.admin('GET', `/admin/events?${query}`)
    t.equal(answer.status, 400, query)
    t.match(await answer.json(), { code: /^invalid_(query|cursor)$/ })
  }
  t.equal((await app.fetch('/admin/events')).status, 401)
  t.equal((await app.admin('POST', '/admin/events')).status, 405)
})
