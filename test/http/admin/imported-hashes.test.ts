// Hashes of other systems through the whole service: taken by POST /admin/users, verified at the first
// login, ours from the second on.

import { test } from 'tap'
import { present } from '../../scenes/user-fixture.ts'
import { logIn, startApp, type TestApp } from '../../support/app.ts'
import { PASSWORD_VECTORS, type PasswordVector, SPELLINGS } from '../../users/password-vectors.ts'

async function importUser(app: TestApp, username: string, passwordHash: string): Promise<string> {
  const body = { username, email: `${username}@example.org`, passwordHash }
  const answer = await app.admin('POST', '/admin/users', body)
  if (answer.status !== 201) throw new Error(await answer.text())
  return ((await answer.json()) as { id: string }).id
}

async function storedHash(app: TestApp, id: string): Promise<string | undefined> {
  return (await app.service.users.findCredentials(id as never))?.passwordHash
}

test('every scheme is taken, logs in, and is Argon2id from then on', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  for (const [index, [start, { password, hash }]] of Object.entries(SPELLINGS).entries()) {
    const username = `user${index}`
    const id = await importUser(app, username, hash)
    t.equal(await storedHash(app, id), hash)
    t.notOk(await isLetIn(app, client.id, username, 'another password'), start)
    t.equal(await storedHash(app, id), hash, 'a wrong password changes nothing')
    t.ok(await logIn(app, client, { username, password }), start)
    const renewed = await storedHash(app, id)
    t.match(renewed, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/, start)
    t.ok(await logIn(app, client, { username, password }), `${start}, again`)
    t.equal(await storedHash(app, id), renewed, 'once')
  }
})

async function isLetIn(app: TestApp, client_id: string, username: string, password: string) {
  const form = { grant_type: 'password', client_id, username, password }
  return (await app.form('/token', form)).status === 200
}

test('a password that bcrypt cut counts to its last byte from the first login on', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const isCut = ({ hash, password }: PasswordVector) =>
    hash.startsWith('$2b$') && password.length > 72
  const { password, hash } = present(PASSWORD_VECTORS.find(isCut))
  await importUser(app, 'long', hash)
  t.ok(await isLetIn(app, client.id, 'long', password))
  t.notOk(await isLetIn(app, client.id, 'long', password.slice(0, 72)))
  t.notOk(await isLetIn(app, client.id, 'long', `${password}x`))
  t.ok(await isLetIn(app, client.id, 'long', password))
})

test('every refusal has the same status, headers and body', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  for (const [index, { hash }] of Object.values(SPELLINGS).entries()) {
    await importUser(app, `user${index}`, hash)
  }
  const { id, password } = await app.makeUser({ username: 'disabled', password: 'correct horse' })
  await app.admin('PATCH', `/admin/users/${id}`, { status: 'disabled' })
  await app.makeUser({ username: 'own' })
  const names = Object.keys(SPELLINGS).map((_, index) => `user${index}`)
  const refusals = [
    ...['nobody', 'no name at all', 'own', ...names].map(
      (name) => [name, 'another horse'] as const,
    ),
    ['disabled', password] as const,
  ]
  const answers = []
  for (const [username, password] of refusals) {
    const form = { grant_type: 'password', client_id: client.id, username, password }
    const answer = await app.form('/token', form)
    const headers = [...answer.headers].filter(([name]) => !/^(date|x-request-id)$/.test(name))
    answers.push({ status: answer.status, headers, body: await answer.text() })
  }
  for (const answer of answers) t.strictSame(answer, answers[0])
  t.equal(answers[0]?.status, 400)
})

test('422 says which schemes there are', async (t) => {
  const app = await startApp(t)
  for (const passwordHash of [
    '$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/',
    `$2b$31$${'a'.repeat(53)}`,
    '',
  ]) {
    const body = { username: 'old', email: 'old@example.org', passwordHash }
    const answer = await app.admin('POST', '/admin/users', body)
    t.equal(answer.status, 422)
    const { errors } = (await answer.json()) as { errors: { pointer: string; detail: string }[] }
    t.match(errors, [{ pointer: '/passwordHash' }])
    for (const scheme of ['argon2id', 'bcrypt', 'PBKDF2', 'scrypt', 'SHA-512 crypt']) {
      t.match(errors[0]?.detail, scheme)
    }
  }
})

test('other instances make their logins as dear within the poll', async (t) => {
  const app = await startApp(t)
  const other = await startApp(t, { beside: app })
  const isKnown = () => other.service.passwordCosts.list().some(({ group }) => group === 'bcrypt')
  t.notOk(isKnown())
  await importUser(app, 'ada', SPELLINGS.$2b$?.hash ?? '')
  await other.service.passwordCosts.reload()
  t.ok(isKnown())
})
