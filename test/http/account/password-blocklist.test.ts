// Every way to set a password refuses one that is guessed first, and says so to a person; whoever has
// such a password already goes on logging in (docs/semantics.md §6).

import argon2 from 'argon2'
import { type Test, test } from 'tap'
import { logIn, startApp } from '../../support/app.ts'
import { runHere } from '../../support/command-line.ts'
import { serverEnvironment } from '../../support/lineage-process.ts'

const OPEN = { config: { registration: 'open' } } as const
const PERSON = { username: 'marchioness', email: 'ada@looms.example.org' }
const COMMON = 'is one of the passwords that are tried first'
const JSON_HEADERS = { 'content-type': 'application/json' }

async function expectRefused(
  t: Test,
  answer: Response,
  fault: { pointer: string; detail: string },
  password: string,
) {
  t.equal(answer.status, 422)
  const text = await answer.text()
  t.notOk(text.includes(password), 'the password is not repeated')
  t.match(JSON.parse(text), { code: 'validation_failed', errors: [fault] })
}

test('registration and administration refuse a common password and names', async (t) => {
  const app = await startApp(t, OPEN)
  const register = (body: unknown) =>
    app.fetch('/users', { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) })
  const ways = [register, (body: unknown) => app.admin('POST', '/admin/users', body)]
  const bad = [
    ['Iloveyou1', COMMON],
    ['Marchioness1', 'must not be little more than the username'],
    ['loomslooms', 'must not be little more than the email address'],
    ['11111111', COMMON],
  ] as const
  for (const way of ways) {
    for (const [password, detail] of bad) {
      const answer = await way({ ...PERSON, password })
      await expectRefused(t, answer, { pointer: '/password', detail }, password)
    }
  }
  t.equal((await register({ ...PERSON, password: 'correct horse' })).status, 201)
})

test('a password that is set or changed keeps the rule of its user', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser(PERSON)
  const { access_token: token } = await logIn(app, client, user)
  const path = `/admin/users/${user.id}/password`
  const change = (newPassword: string) =>
    app.fetch('/users/me/password', {
      method: 'POST',
      headers: { ...JSON_HEADERS, authorization: `Bearer ${token}` },
      body: JSON.stringify({ currentPassword: user.password, newPassword }),
    })
  const name = 'must not be little more than the username'
  for (const [password, detail] of [
    ['sunshine1', COMMON],
    ['marchioness', name],
  ] as const) {
    const set = await app.admin('PUT', path, { password })
    await expectRefused(t, set, { pointer: '/password', detail }, password)
    await expectRefused(t, await change(password), { pointer: '/newPassword', detail }, password)
  }
  t.ok(await logIn(app, client, user), 'nothing has changed')
  t.equal((await change('battery staple')).status, 204)
})

test('the command line refuses it too, and LINEAGE_PASSWORD_BLOCKLIST=off takes it', async (t) => {
  const app = await startApp(t)
  const env = serverEnvironment(app.databaseUrl)
  const args = ['user', 'create', '--username', 'ada', '--email', 'ada@example.test']
  t.match(await runHere(env, args, 'password1'), { code: 1, stderr: `password ${COMMON}` })
  const off = { ...env, LINEAGE_PASSWORD_BLOCKLIST: 'off' }
  t.match(await runHere(off, args, 'password1'), { code: 0 })
  const client = await app.makeClient({})
  t.ok(
    await logIn(app, client, { username: 'ada', password: 'password1' }),
    'it is good for a login',
  )
  const set = await runHere(env, ['user', 'set-password', 'ada'], 'password2')
  t.match(set, { code: 1, stderr: `password ${COMMON}` })
})

test('a hash from elsewhere is of any password, and logs in', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const passwordHash = await argon2.hash('password1', {
    memoryCost: 1024,
    timeCost: 1,
    parallelism: 1,
  })
  const made = await app.admin('POST', '/admin/users', { ...PERSON, passwordHash })
  t.equal(made.status, 201)
  t.ok(await logIn(app, client, { username: PERSON.username, password: 'password1' }))
})
