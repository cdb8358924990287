// Mails from end to end: tried again until they are taken, dropped when they are of no use, and sent
// once by however many instances.

import pg from 'pg'
import { type Test, test } from 'tap'
import { openTcpProxy } from '../contract/tcp-proxy.ts'
import { ADA, mailSettings, openConfirmationScene } from '../scenes/confirmation-scene.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { readLink } from '../support/mailbox.ts'
import { openTestDatabase } from '../support/postgres.ts'

const HOUR_MS = 60 * 60 * 1000

async function query(app: Pick<TestApp, 'databaseUrl'>, sql: string) {
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ attempts: number; seconds: string }>(sql)
  await client.end()
  return rows
}

/** What is next tried in seconds or in hours is due now. */
async function deliverAgain(app: TestApp): Promise<void> {
  await query(app, 'UPDATE mail_outbox SET next_attempt_at = now()')
  await app.service.mail.deliverDue()
}

const readOutbox = (app: TestApp) =>
  query(
    app,
    `SELECT attempts, extract(epoch FROM next_attempt_at - now()) AS seconds FROM mail_outbox`,
  )

const linesOf = (app: TestApp, event: string) => app.log.filter((line) => line.event === event)

test('a server that is busy is asked again later', async (t) => {
  const { app, mailbox, askReset } = await openConfirmationScene(t)
  mailbox.refuse(451)
  await askReset()
  t.match(linesOf(app, 'mail.delayed')[0], {
    ...{ level: 'warn', kind: 'password_reset', attempts: 1 },
    ...{ error: 'EENVELOPE', smtpStatus: 451 },
  })
  const [waiting] = await readOutbox(app)
  t.ok(Number(waiting?.seconds) < 20, 'the next attempt is soon')
  mailbox.refuse(undefined)
  await deliverAgain(app)
  await mailbox.arrived(1)
  t.strictSame(await readOutbox(app), [])
})

test('a server that refuses the recipient for good is not asked again', async (t) => {
  const { app, mailbox, askReset } = await openConfirmationScene(t)
  mailbox.refuse(550)
  await askReset()
  t.match(linesOf(app, 'mail.failed'), [{ attempts: 1, error: 'EENVELOPE', smtpStatus: 550 }])
  t.strictSame(await readOutbox(app), [])
  const logged = JSON.stringify(app.log)
  t.notMatch(logged, /ada@example|lct_/)
})

test('an address that mail would read as several is not written to, and the log says so', async (t) => {
  const { app, mailbox, askReset } = await openConfirmationScene(t)
  await app.makeUser({ username: 'eve', email: 'eve,ada@example.test' })
  await askReset('eve,ada@example.test')
  t.match(linesOf(app, 'mail.failed'), [{ attempts: 1, error: 'address' }])
  t.strictSame(await readOutbox(app), [])
  await askReset()
  await mailbox.arrived(1)
  t.equal(mailbox.received.length, 1)
  t.match(linesOf(app, 'mail.sent'), [{ level: 'info', kind: 'password_reset', attempts: 1 }])
})

test('a mail is given up after its last attempt', async (t) => {
  const { app, mailbox, askReset } = await openConfirmationScene(t)
  await mailbox.stop()
  await askReset()
  await query(app, 'UPDATE mail_outbox SET attempts = 12')
  await deliverAgain(app)
  t.match(linesOf(app, 'mail.failed'), [{ attempts: 13 }])
  t.strictSame(await readOutbox(app), [])
})

test('what has become useless while it waited is not sent', async (t) => {
  let nowMs = Date.now()
  const scene = await openConfirmationScene(t, { clock: () => nowMs })
  const { app, mailbox, userId, askReset } = scene
  const admin = (path: string, method: string, body: object) =>
    app.admin(method, `/admin/users/${userId}${path}`, body)
  await mailbox.stop()
  const halfAnHour = () => {
    nowMs += HOUR_MS / 2
  }
  const useless: (readonly [email: string, change: () => unknown])[] = [
    [ADA.email, () => admin('/password', 'PUT', { password: 'another horse' })],
    [ADA.email, () => admin('', 'PATCH', { email: 'ada@elsewhere.test' })],
    ['ada@elsewhere.test', halfAnHour],
    ['ada@elsewhere.test', () => admin('', 'PATCH', { status: 'disabled' })],
  ]
  for (const [email, change] of useless) {
    await askReset(email)
    t.equal((await readOutbox(app)).length, 1)
    nowMs += 1
    await change()
    await deliverAgain(app)
    t.strictSame(await readOutbox(app), [])
  }
  await mailbox.start()
  await app.service.mail.deliverDue()
  t.equal(mailbox.received.length, 0)
  t.strictSame(linesOf(app, 'mail.failed'), [])
})

test('two instances that look at once send each mail once', async (t) => {
  const { app, mailbox, post } = await openConfirmationScene(t, {
    config: { throttle: 'off' },
  })
  const config = { mail: mailSettings(mailbox.port) }
  const other = await startApp(t, { beside: app, config })
  const emails = Array.from({ length: 12 }, (_, number) => `user-${number}@example.test`)
  for (const email of emails) await app.makeUser({ username: email.split('@')[0] ?? '', email })
  await Promise.all(emails.map((email) => post('/users/password-reset', { email })))
  await Promise.all([app.service.mail.deliverDue(), other.service.mail.deliverDue()])
  await mailbox.arrived(emails.length)
  await Promise.all([app.service.mail.deliverDue(), other.service.mail.deliverDue()])
  const recipients = mailbox.received.flatMap((received) => received.recipients)
  t.strictSame(recipients.sort(), emails.sort())
})

test('while a mail is on its way, asking again renews it', async (t) => {
  let nowMs = Date.now()
  const { app, mailbox, askReset, confirmReset } = await openConfirmationScene(t, {
    clock: () => nowMs,
  })
  mailbox.refuse(451)
  await askReset()
  nowMs += HOUR_MS / 4
  mailbox.refuse(undefined)
  await askReset()
  const { token } = readLink(await mailbox.arrived(1))
  t.strictSame(await readOutbox(app), [])
  nowMs += HOUR_MS / 3
  t.equal((await confirmReset(token)).status, 204)
})

/** A service whose way to PostgreSQL can be cut. */
async function openBehindProxy(t: Test) {
  const { url } = await openTestDatabase(t)
  const direct = new URL(url)
  const target = { host: direct.hostname, port: Number(direct.port) }
  const proxy = await openTcpProxy(t, target)
  direct.port = String(proxy.port)
  const app = await startApp(t, {
    beside: { databaseUrl: direct.href },
    config: { mail: mailSettings(9), throttle: 'off' },
  })
  return { app, proxy }
}

test('without PostgreSQL nobody can be taken down: 503, the same for everybody', async (t) => {
  const { app, proxy } = await openBehindProxy(t)
  await app.makeUser(ADA)
  await proxy.cut()
  const seen = new Set<string>()
  for (const email of [ADA.email, 'nobody@example.test', 'no address']) {
    const answer = await app.fetch('/users/password-reset', {
      method: 'POST',
      // The answer says the id of its request, which is the same here.
      headers: { 'content-type': 'application/json', 'x-request-id': 'the-same' },
      body: JSON.stringify({ email }),
    })
    seen.add(`${answer.status} ${answer.headers.get('retry-after')} ${await answer.text()}`)
  }
  t.equal(seen.size, 1)
  t.match([...seen][0], /^503 2 .*temporarily_unavailable/)
  await proxy.heal()
})
