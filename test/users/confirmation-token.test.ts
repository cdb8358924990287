// The token of a mail: what it is good for, and that nothing but the root secret makes one.

import { createHash, createHmac } from 'node:crypto'
import { test } from 'tap'
import {
  authenticateConfirmation,
  type ConfirmationSubject,
  mintConfirmationToken,
} from '../../src/users/confirmation-token.ts'
import type { UserId } from '../../src/users/user.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

const EXPIRES_AT = 1_800_000_000
const BEFORE_MS = EXPIRES_AT * 1000 - 1
const USER = {
  id: '0b9c3c3e-6f0e-4a54-9a0f-3c8c2b1e7d11' as UserId,
  email: 'Ada@Example.test',
  passwordChangedAt: new Date('2026-01-01T00:00:00.123Z'),
}
const SUBJECT: ConfirmationSubject = { user: USER, epoch: 4 }
const SECRETS = rootSecretsOf(1)

const mint = (subject = SUBJECT, secrets = SECRETS) =>
  mintConfirmationToken('password_reset', subject, EXPIRES_AT, secrets)
const read = (token: string, secrets = SECRETS, nowMs = BEFORE_MS) =>
  authenticateConfirmation(token, 'password_reset', secrets, nowMs)

test('a token is what this page of code says: 78 characters, the same each time', async (t) => {
  const token = mint()
  t.equal(token, mint(), 'so a mail that comes twice has one link')
  t.equal(token.length, 78)
  const bytes = Buffer.from(token.slice('lct_'.length), 'base64url')
  const { id, confirmationTokenKey } = SECRETS.current
  t.equal(bytes.toString('hex', 0, 3), Buffer.from([1, id, 1]).toString('hex'))
  t.equal(bytes.toString('hex', 3, 19), USER.id.replaceAll('-', ''))
  t.equal(bytes.readUInt32BE(19), EXPIRES_AT)
  const hmac = (data: Buffer | string) =>
    createHmac('sha256', confirmationTokenKey).update(data).digest('hex').slice(0, 32)
  const state = JSON.stringify(['Ada@Example.test', USER.passwordChangedAt.getTime(), 4])
  t.equal(bytes.toString('hex', 23, 39), hmac(`\0${state}`))
  t.equal(bytes.toString('hex', 39), hmac(bytes.subarray(0, 39)))
})

test('it is about one user with one password and one address', async (t) => {
  const proof = read(mint())
  t.equal(proof?.userId, USER.id)
  const isAbout = (change: Partial<typeof USER>, epoch = 4) =>
    proof?.isAbout({ user: { ...USER, ...change }, epoch })
  t.equal(isAbout({}), true)
  t.equal(isAbout({ email: 'ada@example.TEST' }), false, 'an address is what is written to')
  t.equal(isAbout({ email: 'ada@example.test.evil' }), false)
  t.equal(isAbout({ passwordChangedAt: new Date(USER.passwordChangedAt.getTime() + 1) }), false)
  t.equal(isAbout({}, 5), false)
  t.equal(isAbout({ id: '0b9c3c3e-6f0e-4a54-9a0f-3c8c2b1e7d12' as UserId }), false)
  t.equal(proof?.isAbout({ user: USER }), false, 'no epoch is none of its own')
})

test('its purpose and its time are its own', async (t) => {
  const token = mint()
  t.equal(authenticateConfirmation(token, 'email_verification', SECRETS, BEFORE_MS), undefined)
  t.equal(read(token, SECRETS, EXPIRES_AT * 1000), undefined)
})

test('it outlives a rotation of the root secret, and no secret that is dropped', async (t) => {
  const token = mint()
  t.ok(read(token, rootSecretsOf(2, 1)))
  t.equal(read(token, rootSecretsOf(2)), undefined)
  t.equal(read(mint(SUBJECT, rootSecretsOf(2, 1)), SECRETS), undefined)
})

test('no other spelling and no changed byte passes', async (t) => {
  const token = mint()
  const body = token.slice('lct_'.length)
  for (let at = 0; at < body.length; at += 1) {
    const other = body[at] === 'A' ? 'B' : 'A'
    t.equal(read(`lct_${body.slice(0, at)}${other}${body.slice(at + 1)}`), undefined, `${at}`)
  }
  const spellings = [body, `lrt_${body}`, `${token}=`, ` ${token}`, `${token}A`, token.slice(0, -1)]
  for (const text of [...spellings, '', 'lct_', token.replace('lct_', 'LCT_')]) {
    t.equal(read(text), undefined, text)
  }
})

test('what the database holds of a user makes no token', async (t) => {
  const bytes = Buffer.from(mint().slice('lct_'.length), 'base64url')
  const state = JSON.stringify(['Ada@Example.test', USER.passwordChangedAt.getTime(), 4])
  const guess = createHash('sha256').update(`\0${state}`).digest().subarray(0, 16)
  guess.copy(bytes, 23)
  createHash('sha256').update(bytes.subarray(0, 39)).digest().copy(bytes, 39, 0, 16)
  t.equal(read(`lct_${bytes.toString('base64url')}`), undefined)
})
