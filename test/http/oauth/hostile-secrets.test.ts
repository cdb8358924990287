// After a run in which every kind of secret was used, mistyped and put where it does not belong, no
// log line, no answer to somebody else and no row of the database holds one, in any spelling.

import { createHash } from 'node:crypto'
import pg from 'pg'
import { test } from 'tap'
import {
  ADMIN,
  ISSUER,
  logIn,
  startApp,
  type TestApp,
  type TokenAnswer,
} from '../../support/app.ts'
import { ROOT_SECRET } from '../../support/root-secrets.ts'

const PASSWORD = 'Correct-Horse-7Battery'
const NEW_PASSWORD = 'Staple-Horse-8Battery'
const TYPED = 'Typed-Into-9The-Wrong-Field'

/** A name for the report, and the text or bytes that must be nowhere. */
type Secrets = Map<string, string | Buffer>

test('no log line and no row holds a secret of the run (C30, C57)', async (t) => {
  const app = await startApp(t)
  const secrets = await useEverySecret(app)
  const found = await findSecrets(app, secrets)
  t.strictSame(found, [])
  t.ok(secrets.size > 12, `${secrets.size} secrets`)
  await t.test('and the search would find one', async (t) => {
    await app.makeUser({ username: 'known-name' })
    const { secret } = await app.makeClient({ type: 'confidential', grantTypes: [] })
    const known = new Map<string, string | Buffer>([
      ['a name', 'known-name'],
      ['bytes', createHash('sha256').update(secret).digest()],
    ])
    t.strictSame(await findSecrets(app, known), ['bytes in client_secrets', 'a name in users'])
  })
})

test('a failure inside tells nobody what it was about', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({ audiences: [ISSUER] })
  const user = await app.makeUser({ password: PASSWORD })
  const { refresh_token: refreshToken, access_token: accessToken } = await logIn(app, client, user)
  await query(app, 'ALTER TABLE users RENAME TO users_away; ALTER TABLE families RENAME TO away')
  t.teardown(() => query(app, 'ALTER TABLE users_away RENAME TO users'))
  const answers = [
    await logInAs(app, client.id, user.username, PASSWORD),
    await app.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: refreshToken,
    }),
    await app.form('/revoke', { client_id: client.id, token: refreshToken }),
    await app.admin('POST', '/admin/users', {
      username: 'other',
      email: 'secret@example.test',
      password: NEW_PASSWORD,
    }),
    await app.fetch('/users/me', { headers: { authorization: `Bearer ${accessToken}` } }),
  ]
  for (const answer of answers) {
    t.equal(answer.status, 500)
    t.equal(answer.headers.get('cache-control'), 'no-store')
    t.notMatch(await answer.text(), /users|families|relation|prisma|stack|\.ts/i)
  }
  const secrets: Secrets = new Map([
    ['password', PASSWORD],
    ['new password', NEW_PASSWORD],
    ['email', 'secret@example.test'],
    ['username', user.username],
    ...tokenSecrets('', { refresh_token: refreshToken, access_token: accessToken }),
  ])
  t.strictSame(findInText('log', JSON.stringify(app.log), secrets), [])
})

/** Uses secrets rightly, wrongly and in the wrong place; collects what must stay secret. */
async function useEverySecret(app: TestApp): Promise<Secrets> {
  const machine = await app.makeClient({
    id: 'machine',
    type: 'confidential',
    grantTypes: ['client_credentials', 'password', 'refresh_token'],
    audiences: [ISSUER],
  })
  const page = await app.makeClient({ audiences: [ISSUER] })
  const added = (await (await app.admin('POST', '/admin/clients/machine/secrets')).json()) as {
    clientSecret: string
  }
  const user = await app.makeUser({ password: PASSWORD })
  const first = await logIn(app, page, user)
  const refresh = (token: string) =>
    app.form('/token', { grant_type: 'refresh_token', client_id: page.id, refresh_token: token })
  const second = (await (await refresh(first.refresh_token)).json()) as TokenAnswer
  const ofMachine = await logIn(app, machine, user)
  const bearer = { authorization: `Bearer ${first.access_token}` }

  await misplace(app, page.id, [machine.secret, PASSWORD, first.refresh_token, second.access_token])
  await logInAs(app, page.id, user.username, TYPED)
  await logInAs(app, page.id, TYPED, PASSWORD)
  await logInAs(app, page.id, `${TYPED}@example.test`, TYPED)
  await app.form(
    '/introspect',
    { token: second.access_token },
    basicOf('machine', added.clientSecret),
  )
  await app.form('/revoke', { token: second.access_token, client_id: page.id })
  await app.fetch('/users/me/password', {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: JSON.stringify({ currentPassword: PASSWORD, newPassword: NEW_PASSWORD }),
  })
  await app.admin('PUT', `/admin/users/${user.id}/password`, { password: NEW_PASSWORD })
  await refresh(first.refresh_token)
  await refresh(`${second.refresh_token.slice(0, -1)}A`)
  await app.form('/revoke', { token: ofMachine.refresh_token }, basicOf('machine', machine.secret))
  return new Map<string, string | Buffer>([
    ['root secret', ROOT_SECRET],
    ['admin secret', ADMIN.secret],
    ['client secret', machine.secret],
    ['added client secret', added.clientSecret],
    ['password', PASSWORD],
    ['new password', NEW_PASSWORD],
    ['typed', TYPED],
    ['typed, as a key', TYPED.toLowerCase()],
    ...tokenSecrets('first ', first),
    ...tokenSecrets('second ', second),
    ...tokenSecrets('machine ', ofMachine),
  ])
}

/** Each secret in every place where it does not belong; whatever comes of it. */
async function misplace(app: TestApp, clientId: string, secrets: readonly string[]): Promise<void> {
  for (const secret of secrets) {
    const text = encodeURIComponent(secret)
    await app.fetch(`/token?client_secret=${text}`, { method: 'POST' })
    await app.fetch(`/users/me?access_token=${text}`)
    await app.fetch(`/nowhere/${text}`)
    await app.admin('GET', `/admin/users/${text}?cursor=${text}`)
    await app.admin('GET', `/admin/users?cursor=${text}&username=${text}`)
    await app.admin('POST', '/admin/users', { username: secret, [secret]: secret })
    await app.form('/token', { grant_type: secret, client_id: secret, scope: secret })
    await app.form('/revoke', { token: 'x' }, basicOf(secret, secret))
    await app.form('/revoke', { token: secret, client_id: clientId, token_type_hint: secret })
    await app.fetch('/users/me', { headers: { authorization: `Bearer ${secret}` } })
    await app.fetch('/users/me', { headers: { authorization: secret, cookie: `a=${secret}` } })
    // An id is taken over as it is, unless it has the form of something secret.
    const id = secret === PASSWORD ? {} : { 'x-request-id': secret }
    await app.fetch('/admin/users', { headers: { ...id, traceparent: secret, referer: secret } })
  }
}

function basicOf(id: string, secret: string) {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

function logInAs(app: TestApp, clientId: string, username: string, password: string) {
  return app.form('/token', { grant_type: 'password', client_id: clientId, username, password })
}

/** A token whole, its family secret, its MAC and its signature. */
function tokenSecrets(
  name: string,
  tokens: Pick<TokenAnswer, 'refresh_token' | 'access_token'>,
): [string, string | Buffer][] {
  const bytes = Buffer.from(tokens.refresh_token.slice('lrt_'.length), 'base64url')
  return [
    [`${name}refresh token`, tokens.refresh_token],
    [`${name}family secret`, bytes.subarray(34, 50)],
    [`${name}MAC`, bytes.subarray(-16)],
    [`${name}signature`, tokens.access_token.split('.')[2] ?? ''],
  ]
}

async function findSecrets(app: TestApp, secrets: Secrets): Promise<string[]> {
  const found = findInText('log', JSON.stringify(app.log), secrets)
  const tables = await query<{ name: string }>(
    app,
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = 'public' ORDER BY 1`,
  )
  for (const { name } of tables) {
    // Binary columns are written as hexadecimal digits.
    const rows = await query(app, `SELECT to_jsonb(t) AS row FROM "${name}" t`)
    found.push(...findInText(name, JSON.stringify(rows), secrets))
  }
  return found
}

function findInText(where: string, text: string, secrets: Secrets): string[] {
  return [...secrets]
    .filter(([, secret]) => spellings(secret).some((spelling) => text.includes(spelling)))
    .map(([name]) => `${name} in ${where}`)
}

function spellings(secret: string | Buffer): string[] {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  const encoded = [base64, bytes.toString('base64url'), bytes.toString('hex')]
  return typeof secret === 'string' ? [secret, encodeURIComponent(secret), ...encoded] : encoded
}

async function query<T extends pg.QueryResultRow>(
  { databaseUrl }: Pick<TestApp, 'databaseUrl'>,
  sql: string,
): Promise<T[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<T>(sql)).rows
  } finally {
    await client.end()
  }
}
