// A forgotten password, by a real mail server: who is told what, what the mail says, and for how long
// and for what its token is good.

import pg from 'pg'
import { test } from 'tap'
import {
  ADA,
  eventsOf,
  mailSettings,
  openConfirmationScene,
} from '../../scenes/confirmation-scene.ts'
import { beginLogin, enroll, startSteppedApp } from '../../scenes/factor-scene.ts'
import { ISSUER, logIn, startApp } from '../../support/app.ts'
import { readLink, startMailbox } from '../../support/mailbox.ts'

const DAY_MS = 24 * 60 * 60 * 1000

test('the mail goes to the account, with a link in its text and its page', async (t) => {
  const { mailbox, askReset } = await openConfirmationScene(t)
  await askReset(' ADA@example.TEST ')
  const received = await mailbox.arrived(1)
  t.equal(received.sender, 'no-reply@example.test')
  t.strictSame(received.recipients, [ADA.email], 'as the account has it, not as it was typed')
  const { from, to, subject, html, text = '', headers } = received.mail
  t.match(from, { name: 'Lineage', address: 'no-reply@example.test' })
  t.match(to, [{ address: ADA.email }])
  t.equal(to?.length, 1)
  t.equal(subject, 'Set a new password for app.example.test')
  const { page, token } = readLink(received)
  t.equal(page, 'https://app.example.test/reset')
  t.match(token, /^lct_[\w-]{74}$/)
  t.match(text, '30 minutes')
  t.ok(html?.includes(`href="https://app.example.test/reset#token=${token}"`))
  t.ok(headers.some(({ key, value }) => key === 'auto-submitted' && value === 'auto-generated'))
})

test('a new password is set once, every session ends, and the address is verified', async (t) => {
  const { app, mailbox, userId, client, askReset, confirmReset, account } =
    await openConfirmationScene(t)
  const session = await logIn(app, client, ADA)
  await askReset()
  const { token } = readLink(await mailbox.arrived(1))
  const short = await confirmReset(token, 'short')
  t.equal(short.status, 422)
  t.match(await short.json(), { errors: [{ pointer: '/newPassword' }] })
  t.equal((await account()).emailVerified, false, 'nothing has happened')

  t.equal((await confirmReset(token)).status, 204)
  t.equal((await account()).emailVerified, true)
  await t.rejects(logIn(app, client, ADA), 'the old password')
  await logIn(app, client, { ...ADA, password: 'a better horse' })
  const refresh = { grant_type: 'refresh_token', refresh_token: session.refresh_token }
  t.equal((await app.form('/token', { ...refresh, client_id: client.id })).status, 400)

  const again = await confirmReset(token, 'another horse')
  t.equal(again.status, 400)
  t.match(await again.json(), { code: 'invalid_confirmation_token' })
  const events = await eventsOf(app, 'user.password_reset_requested')
  t.match(events, [{ subject: userId, ip: '127.0.0.1' }])
  t.match(await eventsOf(app, 'user.password_changed'), [
    { subject: userId, detail: { how: 'reset' } },
  ])
  t.match(await eventsOf(app, 'user.email_verified'), [{ subject: userId }])
  const sessions = await app.admin('GET', `/admin/users/${userId}/sessions?status=ended`)
  t.match(await sessions.json(), { items: [{ endedReason: 'password_changed' }] })
})

test('nothing tells whether somebody has the address: known, unknown, disabled or none', async (t) => {
  const { app, mailbox, post } = await openConfirmationScene(t)
  const gone = await app.makeUser({ username: 'gone', email: 'gone@example.test' })
  await app.admin('PATCH', `/admin/users/${gone.id}`, { status: 'disabled' })
  const emails = [ADA.email, 'nobody@example.test', 'gone@example.test', 'no address', '', '\0']
  const seen = new Set<string>()
  for (const email of emails) {
    const answer = await post('/users/password-reset', { email })
    const headers = [...answer.headers].filter(
      ([name]) => !['date', 'x-request-id', 'keep-alive'].includes(name),
    )
    seen.add(JSON.stringify([answer.status, headers, await answer.text()]))
  }
  t.equal(seen.size, 1)
  t.match([...seen][0], /^\[202,/)
  await app.service.mail.deliverDue()
  t.strictSame((await mailbox.arrived(1)).recipients, [ADA.email])
  await app.service.mail.deliverDue()
  t.equal(mailbox.received.length, 1)
  t.equal((await eventsOf(app, 'user.password_reset_requested')).length, 1)
  const logged = JSON.stringify(app.log)
  t.notMatch(logged, /@example\.test/, 'no address in the log')
  t.notMatch(logged, /lct_/, 'and no token')
})

test('the answer waits for no look-up', async (t) => {
  const { app, mailbox, post } = await openConfirmationScene(t)
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  await client.query('BEGIN')
  await client.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
  for (const email of [ADA.email, 'nobody@example.test']) {
    t.equal((await post('/users/password-reset', { email })).status, 202)
  }
  const { rows } = await client.query('SELECT * FROM mail_outbox')
  t.equal(rows.length, 2)
  t.notMatch(JSON.stringify(rows), /lct_/, 'what waits has no token')
  await client.query('COMMIT')
  await client.end()
  await app.service.mail.deliverDue()
  t.strictSame((await mailbox.arrived(1)).recipients, [ADA.email])
})

test('an address that only looks like it does not get the mail', async (t) => {
  const { app, mailbox, askReset } = await openConfirmationScene(t)
  await app.makeUser({ username: 'anna', email: 'anna@straße.test' })
  // To the key of names the two are one; to mail they are not.
  await askReset('anna@strasse.test')
  const { recipients, mail } = await mailbox.arrived(1)
  t.strictSame(recipients, ['anna@straße.test'])
  t.equal(mail.to?.[0]?.address, 'anna@xn--strae-oqa.test')
})

test('a token is void after half an hour', async (t) => {
  let nowMs = Date.now()
  const { mailbox, askReset, confirmReset } = await openConfirmationScene(t, {
    clock: () => nowMs,
  })
  await askReset()
  const { token } = readLink(await mailbox.arrived(1))
  nowMs += 30 * 60 * 1000
  t.equal((await confirmReset(token)).status, 400)
  nowMs -= 2_000
  t.equal((await confirmReset(token)).status, 204)
})

const VOIDING = {
  'a new password': { path: '/password', method: 'PUT', body: { password: 'another horse' } },
  'another address': { path: '', method: 'PATCH', body: { email: 'ada@elsewhere.test' } },
  'disabling the user': { path: '', method: 'PATCH', body: { status: 'disabled' } },
  'logging out everywhere': { path: '/sessions', method: 'DELETE', body: undefined },
  'deleting the user': { path: '', method: 'DELETE', body: undefined },
} as const

for (const [what, { path, method, body }] of Object.entries(VOIDING)) {
  test(`a token is void after ${what}`, async (t) => {
    const { app, userId, mailbox, askReset, confirmReset } = await openConfirmationScene(t)
    await askReset()
    const { token } = readLink(await mailbox.arrived(1))
    t.ok((await app.admin(method, `/admin/users/${userId}${path}`, body)).ok)
    if (what === 'disabling the user') {
      await app.admin('PATCH', `/admin/users/${userId}`, { status: 'active' })
    }
    t.equal((await confirmReset(token)).status, 400)
  })
}

test('two who come with one token at once set one password', async (t) => {
  const { app, mailbox, client, askReset, confirmReset } = await openConfirmationScene(t)
  await askReset()
  const { token } = readLink(await mailbox.arrived(1))
  const passwords = ['first horse', 'second horse']
  const answers = await Promise.all(passwords.map((password) => confirmReset(token, password)))
  t.strictSame(answers.map(({ status }) => status).sort(), [204, 400])
  const winner = passwords[answers.findIndex(({ status }) => status === 204)] ?? ''
  await logIn(app, client, { ...ADA, password: winner })
})

test('every refusal of a token is the same, and a token of the other kind is one', async (t) => {
  let nowMs = Date.now()
  const scene = await openConfirmationScene(t, { clock: () => nowMs })
  const { app, mailbox, askReset, askVerification, confirmReset } = scene
  await askReset()
  const { token } = readLink(await mailbox.arrived(1))
  await askVerification(await scene.logIn())
  const { token: other } = readLink(await mailbox.arrived(2))
  const flipped = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
  const seen = new Set<string>()
  const refuse = async (text: string) => {
    const answer = await confirmReset(text)
    const { requestId: _, ...problem } = (await answer.json()) as Record<string, unknown>
    seen.add(`${answer.status} ${JSON.stringify(problem)}`)
  }
  for (const text of ['', 'x', 'lct_', flipped, `${token} `, other, token.toUpperCase()]) {
    await refuse(text)
  }
  t.equal((await scene.confirmVerification(token)).status, 400, 'nor does it verify')
  nowMs += DAY_MS
  await refuse(token)
  t.equal(seen.size, 1)
  t.match([...seen][0], /^400 .*invalid_confirmation_token/)
  t.ok(app.log.some(({ reason }) => reason === 'invalid_confirmation_token'))
})

test('without a mail server none of this is there', async (t) => {
  const app = await startApp(t)
  const paths = [
    '/users/password-reset',
    '/users/password-reset/confirm',
    '/users/email-verification/confirm',
    '/users/me/email-verification',
  ]
  const contract = await (await app.fetch('/openapi.json')).text()
  const { paths: listed, info } = JSON.parse(contract) as {
    paths: object
    info: { description: string }
  }
  for (const path of paths) {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    t.equal((await app.fetch(path, init)).status, 404, path)
    t.notOk(Object.hasOwn(listed, path))
    t.ok(info.description.includes(`\`${path}\``), 'which the contract says')
  }
})

test('of more mails than an address may ask for nothing is sent, and nothing is said', async (t) => {
  const { app, mailbox, post, askReset } = await openConfirmationScene(t)
  for (let count = 1; count <= 3; count += 1) {
    await askReset()
    await mailbox.arrived(count)
  }
  const answers = []
  for (const email of [ADA.email, 'nobody@example.test']) {
    const answer = await post('/users/password-reset', { email })
    answers.push(`${answer.status} ${await answer.text()}`)
  }
  t.strictSame(answers, ['202 ', '202 '])
  await app.service.mail.deliverDue()
  t.equal(mailbox.received.length, 3)
})

test('wrong tokens are guesses of their source, and a right one is never held up', async (t) => {
  const { mailbox, askReset, confirmReset } = await openConfirmationScene(t)
  await askReset()
  const { token } = readLink(await mailbox.arrived(1))
  const statuses = []
  for (let count = 0; count < 12; count += 1) {
    statuses.push((await confirmReset(`${token.slice(0, -5)}AAAAA`)).status)
  }
  t.strictSame(statuses.slice(9), [400, 429, 429])
  t.equal((await confirmReset(token)).status, 204)
})

test('a second factor stays: the mailbox alone opens no account', async (t) => {
  const mailbox = await startMailbox(t)
  const app = await startSteppedApp(t, { config: { mail: mailSettings(mailbox.port) } })
  const client = await app.makeClient({ audiences: [ISSUER] })
  await app.makeUser(ADA)
  await enroll(app, client, ADA)
  const post = (path: string, body: object) =>
    app.fetch(`/users/password-reset${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await post('', { email: ADA.email })
  await app.service.mail.deliverDue()
  const { token } = readLink(await mailbox.arrived(1))
  t.equal((await post('/confirm', { token, newPassword: 'a better horse' })).status, 204)
  const asked = await beginLogin(app, client, { ...ADA, password: 'a better horse' })
  t.strictSame(asked.mfa_types, ['totp', 'recovery_code'])
})
