// A verified address, by a real mail server.

import { test } from 'tap'
import { ADA, eventsOf, openConfirmationScene } from '../../scenes/confirmation-scene.ts'
import { readLink } from '../../support/mailbox.ts'

const DAY_MS = 24 * 60 * 60 * 1000

test('an address is verified by the link that was sent to it, once', async (t) => {
  const scene = await openConfirmationScene(t)
  const { app, mailbox, userId, confirmVerification, account } = scene
  const accessToken = await scene.logIn()
  await scene.askVerification(accessToken)
  const received = await mailbox.arrived(1)
  t.strictSame(received.recipients, [ADA.email])
  t.equal(received.mail.subject, 'Confirm your address for app.example.test')
  t.match(received.mail.text, '3 days')
  const { page, token } = readLink(received)
  t.equal(page, 'https://app.example.test/verify?lang=en')
  t.equal((await account()).emailVerified, false)

  t.equal((await confirmVerification(token)).status, 204)
  t.equal((await account()).emailVerified, true)
  const own = await app.fetch('/users/me', { headers: { authorization: `Bearer ${accessToken}` } })
  t.match(await own.json(), { emailVerified: true }, 'and the session goes on')
  t.equal((await confirmVerification(token)).status, 400, 'it is used')
  t.match(await eventsOf(app, 'user.email_verified'), [{ subject: userId, ip: '127.0.0.1' }])
  t.match(await eventsOf(app, 'user.email_verification_requested'), [{ subject: userId }])

  await scene.askVerification(accessToken)
  t.equal(mailbox.received.length, 1, 'nothing is left to verify')
})

test('strangers who ask for resets to the address do not hold up its verification', async (t) => {
  const scene = await openConfirmationScene(t)
  const accessToken = await scene.logIn()
  for (let count = 1; count <= 3; count += 1) {
    await scene.askReset()
    await scene.mailbox.arrived(count)
  }
  await scene.askVerification(accessToken)
  const { mail } = await scene.mailbox.arrived(4)
  t.equal(mail.subject, 'Confirm your address for app.example.test')
})

test('whoever asks must be logged in; a client has no address', async (t) => {
  const { app, post } = await openConfirmationScene(t)
  t.equal((await post('/users/me/email-verification', undefined)).status, 401)
  const client = await app.adminToken()
  t.equal((await post('/users/me/email-verification', undefined, client)).status, 403)
})

test('the token lives three days, over logging out everywhere', async (t) => {
  let nowMs = Date.now()
  const scene = await openConfirmationScene(t, { clock: () => nowMs })
  await scene.askVerification(await scene.logIn())
  const { token } = readLink(await scene.mailbox.arrived(1))
  await scene.app.admin('DELETE', `/admin/users/${scene.userId}/sessions`)
  nowMs += 3 * DAY_MS
  t.equal((await scene.confirmVerification(token)).status, 400)
  nowMs -= 2_000
  t.equal((await scene.confirmVerification(token)).status, 204)
})

const VOIDING = {
  'a new password': { path: '/password', method: 'PUT', body: { password: 'another horse' } },
  'another address': { path: '', method: 'PATCH', body: { email: 'ada@elsewhere.test' } },
  'one of the same key': { path: '', method: 'PATCH', body: { email: 'ADA@example.test' } },
} as const

for (const [what, { path, method, body }] of Object.entries(VOIDING)) {
  test(`the token is void after ${what}`, async (t) => {
    const scene = await openConfirmationScene(t)
    await scene.askVerification(await scene.logIn())
    const { token } = readLink(await scene.mailbox.arrived(1))
    t.ok((await scene.app.admin(method, `/admin/users/${scene.userId}${path}`, body)).ok)
    t.equal((await scene.confirmVerification(token)).status, 400)
    t.equal((await scene.account()).emailVerified, false)
  })
}
