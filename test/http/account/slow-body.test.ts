// A request is let in by its token before its body is read, and its sender decides how long that takes: what
// ends meanwhile is asked about again.

import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import { asUser, startSteppedApp } from '../../scenes/factor-scene.ts'
import { ADMIN, logIn, startApp, type TestApp } from '../../support/app.ts'

/** Sends the head, lets `meanwhile` happen once the token was found good, and then sends the body. */
async function sendSlowly(
  app: TestApp,
  { start, token, body }: { start: string; token: string; body: string },
  meanwhile: () => Promise<unknown>,
): Promise<string> {
  const { checker } = app.service
  const check = checker.check.bind(checker)
  const checked = new Promise<void>((resolve) => {
    Object.assign(checker, {
      check: (presented: string) => check(presented).finally(resolve),
    })
  })
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  const head = [
    `${start} HTTP/1.1`,
    `Host: ${hostname}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await checked
  Object.assign(checker, { check })
  await meanwhile()
  socket.write(body)
  return await text(socket)
}

const endings: Readonly<Record<string, (app: TestApp, userId: string) => Promise<unknown>>> = {
  'a logout everywhere': (app, id) => app.admin('DELETE', `/admin/users/${id}/sessions`),
  'the end of this session': async (app, id) => {
    const listed = await app.admin('GET', `/admin/users/${id}/sessions`)
    const { items } = (await listed.json()) as { items: { id: string }[] }
    return await app.admin('DELETE', `/admin/users/${id}/sessions/${items[0]?.id}`)
  },
}

for (const [what, end] of Object.entries(endings)) {
  test(`a session whose body comes after ${what} adds no factor`, async (t: Test) => {
    const app = await startSteppedApp(t)
    const [client, user] = [await app.makeClient({}), await app.makeUser()]
    const { access_token: token } = await logIn(app, client, user)
    t.equal((await asUser(app, token, 'GET', 'factors')).status, 200)
    const slow = { start: 'POST /users/me/factors', token, body: '{"type":"totp"}' }
    t.match(await sendSlowly(app, slow, () => end(app, user.id)), /^HTTP\/1\.1 401 /)
    const { access_token: other } = await logIn(app, client, user)
    const listed = await (await asUser(app, other, 'GET', 'factors')).json()
    t.strictSame(listed, { items: [], nextCursor: null })
  })
}

test('nor does an administrator whose token was revoked meanwhile make anybody', async (t) => {
  const app = await startApp(t)
  const token = await app.adminToken()
  const body = JSON.stringify({
    username: 'eve',
    email: 'eve@example.test',
    password: 'plum tango',
  })
  const revoke = { token, client_id: ADMIN.id, client_secret: ADMIN.secret }
  const answer = await sendSlowly(app, { start: 'POST /admin/users', token, body }, () =>
    app.form('/revoke', revoke),
  )
  t.match(answer, /^HTTP\/1\.1 401 /)
})
