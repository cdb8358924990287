// Mails over the end of a process: what was asked for while the mail server was away is sent once, by
// whichever instance is there. And a start that cannot write mails is none.

import { join } from 'node:path'
import { test } from 'tap'
import { ADA } from '../scenes/confirmation-scene.ts'
import { asAdmin } from '../support/admin-connection.ts'
import { logIn } from '../support/app.ts'
import { serverEnvironment, spawnLineage, startLineage } from '../support/lineage-process.ts'
import { readLink, startMailbox } from '../support/mailbox.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const PAGES = {
  LINEAGE_MAIL_FROM: 'Example <no-reply@example.test>',
  LINEAGE_PASSWORD_RESET_URL: 'https://app.example.test/reset',
  LINEAGE_EMAIL_VERIFICATION_URL: 'https://app.example.test/verify',
}

const post = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

test('a mail that waited for its server outlives the process that took it down, and comes once', async (t) => {
  const [{ url }, mailbox] = await Promise.all([openTestDatabase(t), startMailbox(t)])
  const file = join(t.testdir({ smtp: `smtp://127.0.0.1:${mailbox.port}\n` }), 'smtp')
  const env = { ...serverEnvironment(url), ...PAGES, LINEAGE_SMTP_URL_FILE: file }
  await mailbox.stop()
  const first = await startLineage(t, env)
  const client = await first.makeClient({})
  await first.makeUser(ADA)
  const asked = await first.fetch('/users/password-reset', post({ email: ADA.email }))
  t.equal(asked.status, 202)
  t.match(await first.logged('mail.delayed'), { kind: 'password_reset', attempts: 1 })
  first.signal('SIGKILL')
  await first.exited

  await asAdmin(url, async (database) => {
    const { rows } = await database.query('SELECT * FROM mail_outbox')
    t.equal(rows.length, 1)
    t.notMatch(JSON.stringify(rows), /lct_/, 'a copy of the database has no token')
    // Nobody has claimed it any more: it is due at once, not in seconds.
    await database.query('UPDATE mail_outbox SET next_attempt_at = now()')
  })

  await mailbox.start()
  const [one, other] = await Promise.all([startLineage(t, env), startLineage(t, env)])
  const received = await mailbox.arrived(1)
  await asAdmin(url, (database) =>
    until('an empty outbox', async () => {
      return (await database.query('SELECT FROM mail_outbox')).rowCount === 0
    }),
  )
  t.equal(mailbox.received.length, 1)
  const { token } = readLink(received)
  const newPassword = 'a better horse'
  const set = await other.fetch('/users/password-reset/confirm', post({ token, newPassword }))
  t.equal(set.status, 204)
  await logIn(one, client, { ...ADA, password: newPassword })
  for (const { stdout } of [first, one, other]) {
    t.notMatch(stdout.join('\n'), /ada@example|lct_/, 'the log has neither address nor token')
  }
})

test('templates that are not valid stop the start with one message', async (t) => {
  const { url } = await openTestDatabase(t)
  const folder = t.testdir({
    'password-reset.txt': 'Subject: Reset\n\n{{token}}\n',
    'email-verification.html': '<p>Hello</p>',
  })
  const service = await spawnLineage(t, {
    ...{ ...serverEnvironment(url), ...PAGES, LINEAGE_SMTP_URL: 'smtp://127.0.0.1:9' },
    LINEAGE_MAIL_TEMPLATES: folder,
  })
  t.match(await service.exited, { code: 1 })
  t.strictSame(service.stderr.slice(0, 4), [
    'lineage: The templates of mails are not valid:',
    '  password-reset.txt may name only {{link}}, {{app}}, {{username}}.',
    '  password-reset.txt lacks {{link}}.',
    '  email-verification.html lacks {{link}}.',
  ])
})

test('an instance that sends no mail needs no nodemailer', async (t) => {
  const { url } = await openTestDatabase(t)
  const program = 'test/process/fixtures/without-nodemailer.ts'
  const service = await startLineage(t, serverEnvironment(url), { program })
  t.equal((await service.fetch('/users/password-reset', post({ email: ADA.email }))).status, 404)
})
