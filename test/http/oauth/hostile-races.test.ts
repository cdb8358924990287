// Many administrators at the same moment: one winner where there can be one, no deadlock, and no 5xx
// but that of a deadline.

import { test } from 'tap'
import { ADMIN, logIn, startApp, type TestApp } from '../../support/app.ts'

const AT_ONCE = 16

type Call = readonly [method: string, path: string, body?: unknown]

/**
 * The statuses of calls that are sent together, in their order. A call that is told to come again does:
 * on a busy machine its deadline may pass while it waits for the others.
 */
async function race(app: TestApp, calls: readonly Call[]): Promise<number[]> {
  const answer = await app.form('/token', {
    grant_type: 'client_credentials',
    client_id: ADMIN.id,
    client_secret: ADMIN.secret,
  })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const send = async ([method, path, body]: Call): Promise<number> => {
    const { status } = await app.fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return status
  }
  const sendUntilAnswered = async (call: Call): Promise<number> => {
    const status = await send(call)
    return status === 503 ? await sendUntilAnswered(call) : status
  }
  return await Promise.all(calls.map(sendUntilAnswered))
}

function times(count: number, call: (index: number) => Call): Call[] {
  return Array.from({ length: count }, (_, index) => call(index))
}

test('of many creations under one name one wins, the others are 409', async (t) => {
  const app = await startApp(t)
  const wanted = [201, ...Array.from({ length: AT_ONCE - 1 }, () => 409)]
  const client = { id: 'racer', name: 'Racer', type: 'confidential', grantTypes: [] }
  const clients = await race(
    app,
    times(AT_ONCE, () => ['POST', '/admin/clients', client]),
  )
  t.strictSame(clients.sort(), wanted)
  const user = { username: 'Racer', email: 'racer@example.test', password: 'long enough' }
  const users = await race(
    app,
    times(AT_ONCE, () => ['POST', '/admin/users', user]),
  )
  t.strictSame(users.sort(), wanted)
  const secrets = await race(
    app,
    times(AT_ONCE, () => ['POST', '/admin/clients/racer/secrets']),
  )
  t.strictSame(secrets.sort(), wanted, 'a second secret, never a third')
})

test('the last secret stays, however many ask for its removal', async (t) => {
  const app = await startApp(t)
  const { id } = await app.makeClient({ type: 'confidential', grantTypes: [] })
  const path = `/admin/clients/${id}`
  await app.admin('POST', `${path}/secrets`)
  const read = async () =>
    ((await (await app.admin('GET', path)).json()) as { secrets: { id: string }[] }).secrets
  const both = await read()
  await race(
    app,
    times(AT_ONCE, (index) => ['DELETE', `${path}/secrets/${both[index % 2]?.id}`]),
  )
  t.equal((await read()).length, 1)
})

test('changes of clients, keys and users that cross each other all get an answer', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({ id: 'crossed' })
  const user = await app.makeUser()
  const byUser = `/admin/users/${user.id}`
  const kinds: readonly Call[] = [
    ['PATCH', '/admin/clients/crossed', { accessTokenTtlSeconds: 1000 }],
    ['POST', '/admin/keys/rotate', {}],
    ['DELETE', '/admin/clients/crossed/sessions'],
    ['PATCH', byUser, { roles: ['a'] }],
    ['DELETE', `${byUser}/sessions`],
    ['PUT', `${byUser}/password`, { password: user.password }],
  ]
  const statuses = await race(
    app,
    times(AT_ONCE * 2, (index) => kinds[index % kinds.length] as Call),
  )
  t.strictSame(
    statuses.filter((status) => status >= 300),
    [],
  )
  const last = await race(
    app,
    times(AT_ONCE, (index) =>
      index % 2 ? ['DELETE', byUser] : ['PATCH', byUser, { roles: ['b'] }],
    ),
  )
  t.ok(
    last.every((status) => status === 204 || status === 200 || status === 404),
    `${last}`,
  )
  t.notMatch(JSON.stringify(app.log), /40P01/, 'no deadlock')
  const other = await app.makeUser({ username: user.username })
  t.ok((await logIn(app, client, other)).refresh_token, 'the name is free, the service is well')
  const again = { id: user.id, username: 'another', email: 'x@y.test', password: 'long enough' }
  t.equal((await app.admin('POST', '/admin/users', again)).status, 409, 'the id is not')
})
