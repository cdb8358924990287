// nodemailer by XOAUTH2, to a real mail server that takes Lineage's tokens. It refreshes by itself
// and throws the new refresh token away, so the second refresh is a replay; with a callback that
// brings the access tokens it goes on.

import type { SendMailOptions } from 'nodemailer'
import { test } from 'tap'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { issueToken } from '../scenes/bad-tokens.ts'
import { API } from '../scenes/integration-scene.ts'
import { MAILBOX, startPost } from '../scenes/mail-scene.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { readTable } from '../support/documented.ts'
import { startSteppedDate } from '../support/stepped-date.ts'
import { MAIL, SEND } from './mail-server.ts'

const LETTER: SendMailOptions = { from: MAILBOX, to: 'bob@example.test', subject: 'Hi', text: 'A' }

const TTL_SECONDS = 600
const GRACE_SECONDS = 30

async function readError(refused: Promise<unknown>): Promise<unknown> {
  const error = await refused.then(
    () => undefined,
    (thrown: Error & { code?: string; responseCode?: number }) => thrown,
  )
  return error && { code: error.code, message: error.message }
}

const REPLAYED = {
  code: 'EAUTH',
  message: 'invalid_grant: The refresh token is invalid, expired or revoked.',
}

test('nodemailer: refreshes by itself, once for the life of the token', async (t) => {
  const { front, server, client, tokens, open } = await startPost(t)
  const transport = open()
  const events: object[] = []
  transport.on('token', (token) => events.push(token))
  await transport.sendMail(LETTER)
  await transport.sendMail(LETTER)
  t.match(server.received, [{ mailbox: MAILBOX, content: /Subject: Hi/ }, { mailbox: MAILBOX }])
  t.strictSame(front.seen, [
    {
      path: '/token',
      authorization: undefined,
      form: {
        client_id: client.id,
        client_secret: client.secret,
        refresh_token: tokens.refresh_token,
        grant_type: 'refresh_token',
      },
    },
  ])
  t.strictSame(events.map(Object.keys), [['user', 'accessToken', 'expires']], 'no refresh token')
})

test('nodemailer: its second refresh is a replay', async (t) => {
  const date = startSteppedDate(t)
  const { open } = await startPost(t)
  const transport = open()
  await transport.sendMail(LETTER)
  date.step(TTL_SECONDS + 1)
  t.strictSame(await readError(transport.sendMail(LETTER)), REPLAYED)
})

test('nodemailer: so is the first of a program that starts anew', async (t) => {
  const date = startSteppedDate(t)
  const { scene, client, open } = await startPost(t)
  const first = open()
  const inspect = async () => {
    const secrets = { client_id: client.id, client_secret: client.secret }
    const answer = await scene.form('/introspect', { token: accessToken, ...secrets })
    return ((await answer.json()) as { active: boolean }).active
  }
  let accessToken = ''
  first.on('token', (token) => {
    accessToken = token.accessToken
  })
  await first.sendMail(LETTER)
  await open().sendMail(LETTER)
  t.ok(await inspect(), 'within the grace nothing happens')
  date.step(GRACE_SECONDS + 1)
  t.strictSame(await readError(open().sendMail(LETTER)), REPLAYED)
  t.notOk(await inspect(), 'the session of all of them is over')
})

test('nodemailer: each connection of a pool refreshes for itself', async (t) => {
  const { front, server, openPool } = await startPost(t)
  const pool = openPool(2)
  await Promise.all([1, 2, 3, 4].map(() => pool.sendMail(LETTER)))
  t.equal(server.received.length, 4)
  t.equal(front.seen.length, 2)
})

test('nodemailer: a lost answer fails the mail, and the next one asks again', async (t) => {
  const { front, server, open } = await startPost(t)
  const transport = open()
  front.loseNext()
  const lost = { code: 'EAUTH', message: 'socket hang up' }
  t.strictSame(await readError(transport.sendMail(LETTER)), lost)
  await transport.sendMail(LETTER)
  t.strictSame(front.seen[1], front.seen[0])
  t.equal(server.received.length, 1)
})

test('nodemailer: a callback that keeps the refresh token goes on', async (t) => {
  const date = startSteppedDate(t)
  const { scene, client, tokens, server, open } = await startPost(t)
  const transport = open({})
  const kept = [tokens.refresh_token]
  const refresh = async (): Promise<TokenAnswer> => {
    const answer = await scene.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      client_secret: client.secret,
      refresh_token: kept.at(-1),
    })
    const body = (await answer.json()) as TokenAnswer
    kept.push(body.refresh_token)
    return body
  }
  transport.set('oauth2_provision_cb', (_user, _renew, callback) => {
    refresh().then(
      (body) => callback(null, body.access_token, Date.now() + body.expires_in * 1000),
      callback,
    )
  })
  for (const refreshes of [1, 2, 3]) {
    await transport.sendMail(LETTER)
    date.step(TTL_SECONDS - 1)
    await transport.sendMail(LETTER)
    t.equal(kept.length, refreshes + 1, 'until its last second')
    date.step(2)
  }
  t.equal(new Set(kept).size, 4)
  t.equal(server.received.length, 6)
})

test('nodemailer: client credentials need no callback', async (t) => {
  const date = startSteppedDate(t)
  const { front, server, refreshing, open } = await startPost(t, {
    authMethods: ['client_secret_post'],
  })
  const customParams = { grant_type: 'client_credentials', resource: MAIL }
  const transport = open({ ...refreshing, refreshToken: 'none', customParams })
  await transport.sendMail(LETTER)
  date.step(TTL_SECONDS + 1)
  await transport.sendMail(LETTER)
  t.match(front.seen, [{ form: customParams }, { form: customParams }])
  t.equal(server.received.length, 2)
})

test('nodemailer: a token that the mail server refuses is renewed once', async (t) => {
  const { scene, client, server, front, refreshing, open } = await startPost(t)
  const forAnother = await issueToken(scene, client, API)
  await open({ ...refreshing, accessToken: forAnother }).sendMail(LETTER)
  t.equal(front.seen.length, 1)
  const asked: boolean[] = []
  const transport = open({})
  transport.set('oauth2_provision_cb', (_user, renew, callback) => {
    asked.push(renew)
    issueToken(scene, client, renew ? MAIL : API).then((token) => callback(null, token), callback)
  })
  await transport.sendMail(LETTER)
  t.strictSame(asked, [false, true])
  t.equal(server.received.length, 2)
  const stuck = open({ accessToken: forAnother }).sendMail(LETTER)
  const message = 'Invalid login: 535 Error: Username and Password not accepted'
  t.strictSame(await readError(stuck), { code: 'EAUTH', message })
  t.strictSame([...new Set(server.refused)], ['unexpected "aud" claim value'])
})

test('nodemailer: refusals carry the code, and a service client is one', async (t) => {
  const { scene, client, server, front, refreshing, open } = await startPost(t)
  const wrong = await readError(open({ ...refreshing, clientSecret: 'wrong' }).sendMail(LETTER))
  t.match(wrong, { code: 'EAUTH', message: /^invalid_client: / })

  const { privateKey: key } = makeKeyPairSync('rsa', { modulusLength: 2048 })
  const privateKey = key.export({ type: 'pkcs8', format: 'pem' })
  const service = open({ serviceClient: client.id, privateKey, accessUrl: refreshing.accessUrl })
  // It sends an assertion (RFC 7523) and names no client.
  const refused = { code: 'EAUTH', message: /^invalid_client: / }
  t.match(await readError(service.sendMail(LETTER)), refused)
  t.equal(front.seen.length, 2, 'nothing is tried twice')

  const { id } = await scene.makeClient({
    scopes: [SEND],
    audiences: [MAIL],
    defaultScopes: [SEND],
  })
  const user = await scene.makeUser()
  server.mailboxes.set(user.id, MAILBOX)
  const { refresh_token: refreshToken } = await logIn(scene, { id }, user)
  await open({ clientId: id, refreshToken, accessUrl: refreshing.accessUrl }).sendMail(LETTER)
  t.match(front.seen.at(-1)?.form, { client_id: id, client_secret: '' }, 'a public client')
})

test('nodemailer: its line in docs/integrations.md says the same', async (t) => {
  t.equal(readTable('Programs').get('nodemailer')?.As, 'client, by XOAUTH2')
})
