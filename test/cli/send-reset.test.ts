// `lineage user send-reset`, and what `lineage doctor` says of mail.

import { test } from 'tap'
import { ADA, eventsOf, openConfirmationScene } from '../scenes/confirmation-scene.ts'
import { readFindings } from '../scenes/doctor-report.ts'
import { runHere, runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { readLink } from '../support/mailbox.ts'

const PAGES = {
  LINEAGE_MAIL_FROM: 'no-reply@example.test',
  LINEAGE_PASSWORD_RESET_URL: 'https://app.example.test/reset',
  LINEAGE_EMAIL_VERIFICATION_URL: 'https://app.example.test/verify',
}
const SEND = ['user', 'send-reset', 'ada']

test('a running instance sends the mail that the command asks for', async (t) => {
  const { app, mailbox, userId, confirmReset } = await openConfirmationScene(t)
  const smtp = { LINEAGE_SMTP_URL: `smtp://127.0.0.1:${mailbox.port}` }
  const env = { ...serverEnvironment(app.databaseUrl), ...PAGES, ...smtp }
  t.match(await runHere(env, SEND), { code: 0, stdout: '', stderr: /mail is queued/ })
  await app.service.mail.deliverDue()
  const received = await mailbox.arrived(1)
  t.strictSame(received.recipients, [ADA.email])
  t.equal((await confirmReset(readLink(received).token)).status, 204)
  t.match(await eventsOf(app, 'user.password_reset_requested'), [
    { subject: userId, detail: { by: 'lineage:cli' } },
  ])
  t.match(await runJson(t, env, SEND), { id: userId, mailQueued: true })

  t.match(await runHere(env, ['user', 'send-reset', 'nobody']), { code: 1, stderr: /no such user/ })
  await app.admin('PATCH', `/admin/users/${userId}`, { status: 'disabled' })
  t.match(await runHere(env, SEND), { code: 1, stderr: /the user is disabled/ })
})

test('without a mail server the command says so, and no mail waits', async (t) => {
  const { app } = await openConfirmationScene(t)
  const env = serverEnvironment(app.databaseUrl)
  t.match(await runHere(env, SEND), { code: 1, stderr: /LINEAGE_SMTP_URL is not set/ })
})

test('the doctor reaches the mail server and reads the templates', async (t) => {
  const { app, mailbox } = await openConfirmationScene(t)
  const smtp = { LINEAGE_SMTP_URL: `smtp://u:geheim@127.0.0.1:${mailbox.port}` }
  const env = { ...serverEnvironment(app.databaseUrl), ...PAGES, ...smtp }
  const examine = async (change: object = {}) => {
    const { stdout } = await runHere({ ...env, ...change }, ['doctor', '--json'])
    t.notMatch(stdout, 'geheim')
    return readFindings(stdout).filter(({ check }) => check.startsWith('mail'))
  }
  t.match(await examine(), [
    { check: 'mail templates', status: 'ok' },
    { check: 'mail server', status: 'ok', detail: /TLS: none/ },
  ])
  const folder = t.testdir({ 'password-reset.txt': 'no subject' })
  t.match(
    await examine({ LINEAGE_MAIL_TEMPLATES: folder, LINEAGE_SMTP_URL: 'smtp://127.0.0.1:9' }),
    [
      { check: 'mail templates', status: 'fail', detail: /must begin with a line/ },
      { check: 'mail server', status: 'fail', detail: /^E/, advice: /host and port/ },
    ],
  )
})
