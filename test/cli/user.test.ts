// `lineage user …` beside a running instance, families in PostgreSQL: the same rules as /admin, and
// every change in force there at once.

import argon2 from 'argon2'
import { type Test, test } from 'tap'
import { logIn, startApp } from '../support/app.ts'
import { runCommand, runHere, runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'

const PASSWORD = 'correct horse battery'
const ada = { username: 'ada', password: PASSWORD }

async function openScene(t: Test) {
  const app = await startApp(t)
  const env = serverEnvironment(app.databaseUrl)
  const client = await app.makeClient({ id: 'web' })
  const refresh = (token: string) =>
    app.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: token,
    })
  return { app, env, client, refresh }
}

const CREATE = ['user', 'create', '--username', 'ada', '--email', 'ada@example.test']

test('a user made by the command logs in at a running instance', async (t) => {
  const { app, env, client } = await openScene(t)
  const made = await runCommand(t, env, [...CREATE, '--role', 'a', '--role', 'b'], `${PASSWORD}\n`)
  t.match(made, { code: 0, stderr: '' })
  t.match(made.stdout, /^id +[0-9a-f-]{36}\nusername +ada\n/)
  t.match(made.stdout, /^roles +a b$/m)
  const { scope } = await logIn(app, client, ada)
  t.equal(scope, '')

  const again = await runJson(t, env, CREATE, { input: PASSWORD, code: 1 })
  t.match(again, { error: String, errors: [{ pointer: '/username' }] })
  const events = await runJson(t, env, ['events', 'tail', '--type', 'user.created'])
  t.match(events, { subject: /^[0-9a-f-]{36}$/, detail: { by: 'lineage:cli' } })
})

test('what /admin/users would refuse is refused, with nothing made', async (t) => {
  const { env } = await openScene(t)
  const names = ['user', 'create', '--username', 'a b', '--email', 'nobody', '--role', 'x y']
  t.match(await runHere(env, names, PASSWORD), {
    code: 1,
    stdout: '',
    stderr: /roles\/0 must be .*username must be .*email must be /s,
  })
  const short = await runHere(env, [...CREATE, '--json'], 'short')
  t.equal(short.code, 1)
  t.match(JSON.parse(short.stdout), { errors: [{ pointer: '/password' }] })
  t.notMatch(short.stdout + short.stderr, 'short')
  t.match(await runHere(env, CREATE), { code: 1, stderr: /standard input has no password/ })
  t.match(await runHere(env, ['user', 'sessions', 'ada']), { code: 1, stderr: /no such user/ })
})

test('--password-hash-stdin takes a hash that its password then opens', async (t) => {
  const { app, env, client } = await openScene(t)
  const hash = await argon2.hash(PASSWORD, { memoryCost: 1024, timeCost: 1, parallelism: 1 })
  const args = [...CREATE, '--password-hash-stdin', '--email-verified']
  t.match(await runHere(env, args, PASSWORD), {
    code: 1,
    stderr: /password hash of one of these schemes/,
  })
  const made = await runHere(env, [...args, '--json'], `${hash}\n`)
  t.match(JSON.parse(made.stdout), { username: 'ada', emailVerified: true })
  t.match(await logIn(app, client, ada), { token_type: 'Bearer' })
})

test('disable ends the sessions of a running instance at once', async (t) => {
  const { app, env, refresh, client } = await openScene(t)
  const user = await app.makeUser(ada)
  const session = await logIn(app, client, ada)
  const shown = await runJson(t, env, ['user', 'disable', 'ADA@example.test'], { code: 1 })
  t.match(shown, { error: 'there is no such user' }, 'the email was another one')
  t.match(await runJson(t, env, ['user', 'disable', user.id]), { id: user.id, status: 'disabled' })
  t.equal((await refresh(session.refresh_token)).status, 400)
  await t.rejects(logIn(app, client, ada))
  t.match(await runJson(t, env, ['events', 'tail', '--type', 'user.disabled']), {
    subject: user.id,
    detail: { by: 'lineage:cli', changed: ['status'] },
  })
})

test('sessions lists what is open and how the rest ended; logout ends all', async (t) => {
  const { app, env, refresh, client } = await openScene(t)
  await app.makeUser(ada)
  const session = await logIn(app, client, ada)
  const [open] = await runJson<Record<string, unknown>[]>(t, env, ['user', 'sessions', 'ada'])
  t.match(open, { clientId: 'web', generation: 0, status: 'active', current: false })

  t.match(await runHere(env, ['user', 'logout', 'ada']), { code: 0, stdout: '' })
  t.equal((await refresh(session.refresh_token)).status, 400)
  const table = await runHere(env, ['user', 'sessions', 'ada'])
  t.match(
    table.stdout,
    /^ID +CLIENT ID +STATUS +ENDED REASON .*\n[0-9a-f-]{36} +web +ended +logged_/,
  )
  t.match(await runJson(t, env, ['events', 'tail', '--type', 'token.revoked']), {
    reason: 'logged_out_everywhere',
    detail: { by: 'lineage:cli' },
  })
})

test('set-password ends every session and the old password', async (t) => {
  const { app, env, refresh, client } = await openScene(t)
  await app.makeUser(ada)
  const session = await logIn(app, client, ada)
  const args = ['user', 'set-password', 'ada']
  t.match(await runHere(env, args, 'short'), { code: 1, stderr: /password must have at least 8/ })
  t.equal((await refresh(session.refresh_token)).status, 200, 'nothing has changed')
  t.match(await runJson(t, env, args, { input: 'another passphrase\n' }), { passwordChanged: true })
  t.equal((await refresh(session.refresh_token)).status, 400)
  await t.rejects(logIn(app, client, ada))
  t.match(await logIn(app, client, { ...ada, password: 'another passphrase' }), { scope: '' })
})
