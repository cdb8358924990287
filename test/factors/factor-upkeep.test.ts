// What the tables of factors need by themselves: a new root secret, and the deletion of what is over.

import { test } from 'tap'
import { deleteExpiredFactors, reencryptFactors } from '../../src/factors/factor-upkeep.ts'
import { openRootSecrets } from '../../src/secrets/root-secret.ts'
import {
  asUser,
  beginLogin,
  endLogin,
  enroll,
  openFactorScene,
  STEP_MS,
} from '../scenes/factor-scene.ts'
import { query } from '../scenes/recovery-scene.ts'
import { logIn } from '../support/app.ts'
import { openReadyDatabase } from '../support/database.ts'
import { ROOT_SECRET, rootSecretOf } from '../support/root-secrets.ts'

const ROWS = 'SELECT secret_encrypted, root_secret_id FROM factors'

test('secrets come under the first root secret at a start, and the old one can go', async (t) => {
  const { app, client, user, authenticator } = await openFactorScene(t)
  const newer = rootSecretOf(1)
  const { mfa_token: begun } = await beginLogin(app, client, user)
  const both = openRootSecrets([newer, ROOT_SECRET])
  const rolling = await app.another(t, { config: { rootSecrets: both } })
  t.match(await query(app.databaseUrl, ROWS), [{ root_secret_id: both.current.id }])
  // A login may begin at an instance before the rollover and end at one after it.
  const otp = authenticator.code(app.nowMs())
  t.equal((await endLogin(rolling, client, begun, { otp })).status, 200)

  app.pass(STEP_MS)
  // Signing keys are of both secrets until they are encrypted anew too, which the start did.
  const alone = await app.another(t, { config: { rootSecrets: openRootSecrets([newer]) } })
  const { mfa_token: step } = await beginLogin(alone, client, user)
  const answer = await endLogin(alone, client, step, { otp: authenticator.code(app.nowMs()) })
  t.equal(answer.status, 200)
})

test('a secret that no root secret opens is no right code; recovery codes still work', async (t) => {
  const { app, client, user, authenticator, recoveryCodes } = await openFactorScene(t)
  await query(app.databaseUrl, "UPDATE factors SET secret_encrypted = '\\x00'")
  const attempt = async (proof: Parameters<typeof endLogin>[3]) => {
    const { mfa_token: step } = await beginLogin(app, client, user)
    return (await endLogin(app, client, step, proof)).status
  }
  t.equal(await attempt({ otp: authenticator.code(app.nowMs()) }), 400)
  t.equal(await attempt({ recovery_code: recoveryCodes[0] ?? '' }), 200)
  const { pool } = await openReadyDatabase(t, app.databaseUrl)
  await reencryptFactors(pool, openRootSecrets([rootSecretOf(1), ROOT_SECRET]))
  t.match(
    await query(app.databaseUrl, ROWS),
    [{ secret_encrypted: Buffer.from([0]) }],
    'left alone',
  )
})

test('many secrets are brought under the first root secret, a batch at a time', async (t) => {
  const { app } = await openFactorScene(t)
  const { pool } = await openReadyDatabase(t, app.databaseUrl)
  // Copies of one row, which no other id opens, beside the one that can be opened.
  await query(
    app.databaseUrl,
    `INSERT INTO factors SELECT gen_random_uuid(), user_id, type, name, status, secret_encrypted,
       root_secret_id, last_step, created_at, activated_at FROM factors, generate_series(1, 1200)`,
  )
  const secrets = openRootSecrets([rootSecretOf(1), ROOT_SECRET])
  await reencryptFactors(pool, secrets)
  const ofNew = `${ROWS} WHERE root_secret_id = ${secrets.current.id}`
  t.equal((await query(app.databaseUrl, ofNew)).length, 1)
})

test('a secret is bound to its factor and its user', async (t) => {
  const { app, client, user, authenticator } = await openFactorScene(t)
  const thief = await app.makeUser()
  await enroll(app, client, thief)
  await query(
    app.databaseUrl,
    `UPDATE factors SET secret_encrypted =
       (SELECT secret_encrypted FROM factors WHERE user_id = '${thief.id}')
     WHERE user_id = '${user.id}'`,
  )
  const { mfa_token: step } = await beginLogin(app, client, user)
  const otp = authenticator.code(app.nowMs())
  t.equal((await endLogin(app, client, step, { otp })).status, 400)
})

test('a dump holds no secret, no code and no token', async (t) => {
  const { app, client, user, recoveryCodes, authenticator } = await openFactorScene(t)
  const { access_token: token } = await logIn(app, client, await app.makeUser())
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const { secret } = (await made.json()) as { secret: string }
  const { mfa_token: step } = await beginLogin(app, client, user)
  await endLogin(app, client, step, { otp: 'wrong' })
  const tables = ['factors', 'recovery_codes', 'mfa_tokens', 'audit_events']
  const rows = await Promise.all(
    tables.map((table) => query(app.databaseUrl, `SELECT t::text FROM ${table} t`)),
  )
  const text = JSON.stringify([rows, app.log])
  t.match(text, authenticator.id, 'the dump is a dump')
  for (const hidden of [secret, step, ...recoveryCodes]) t.notOk(text.includes(hidden))
})

test('what is over is deleted', async (t) => {
  const { app, client, user } = await openFactorScene(t)
  const { access_token: token } = await logIn(app, client, await app.makeUser())
  await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const { mfa_token: step } = await beginLogin(app, client, user)
  await endLogin(app, client, step, { otp: 'wrong' })
  const { pool } = await openReadyDatabase(t, app.databaseUrl)
  const left = async (nowMs: number) => {
    await deleteExpiredFactors(pool, nowMs)
    const counts = `SELECT (SELECT count(*)::int FROM factors) AS factors,
      (SELECT count(*)::int FROM mfa_tokens) AS tokens`
    return (await query(app.databaseUrl, counts))[0]
  }
  t.strictSame(await left(app.nowMs()), { factors: 2, tokens: 1 })
  t.strictSame(await left(app.nowMs() + 5 * 60_000), { factors: 2, tokens: 0 })
  t.strictSame(await left(app.nowMs() + 60 * 60_000), { factors: 1, tokens: 0 }, 'the active one')
})
