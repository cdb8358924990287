// The outbox: a mail is claimed by one, once, whoever asks at the same time, and there are never many.

import { type Test, test } from 'tap'
import { type MailOutbox, type MailRequest, openMailOutbox } from '../../src/mail/mail-outbox.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

const ACT = { ip: '203.0.113.7', userAgent: 'curl' }
const DAY_MS = 24 * 60 * 60 * 1000

const reset = (emailKey: string): MailRequest => ({ kind: 'password_reset', emailKey, act: ACT })

/** Two instances on one database. */
async function openOutboxes(t: Test, clock = Date.now) {
  const { url } = await openTestDatabase(t)
  const databases = [await openReadyDatabase(t, url), await openReadyDatabase(t, url)] as const
  const [one, other] = databases.map(({ pool }) => openMailOutbox(pool, clock))
  return { one: one as MailOutbox, other: other as MailOutbox, pool: databases[0].pool }
}

test('what is claimed is what was asked for, and is gone when it is finished', async (t) => {
  const { one, pool } = await openOutboxes(t)
  t.equal(await one.add(reset('ada@example.test')), true)
  const [claimed, ...others] = await one.claim(10)
  t.equal(others.length, 0)
  t.match(claimed, { ...reset('ada@example.test'), attempts: 1, userId: undefined })
  t.ok(Math.abs((claimed?.requestedAt.getTime() ?? 0) - Date.now()) < 60_000)
  t.strictSame(await one.claim(10), [], 'the claim holds')
  if (claimed) await one.finish(claimed)
  t.equal((await pool.query('SELECT FROM mail_outbox')).rowCount, 0)
})

test('two instances claim no mail twice', async (t) => {
  const { one, other } = await openOutboxes(t)
  for (let count = 0; count < 40; count += 1) await one.add(reset(`user-${count}@example.test`))
  const rounds = Array.from({ length: 10 }, () => [one.claim(4), other.claim(4)]).flat()
  const claimed = (await Promise.all(rounds)).flat()
  t.equal(claimed.length, 40)
  t.equal(new Set(claimed.map(({ id }) => id)).size, 40)
})

test('of one kind and address one mail is on its way, the one asked for last', async (t) => {
  const { one, pool } = await openOutboxes(t)
  await one.add(reset('ada@example.test'))
  const [first] = await one.claim(1)
  if (!first) throw new Error('nothing is claimed')
  await one.postpone(first, 3_600)
  t.strictSame(await one.claim(1), [])

  await one.add({ ...reset('ada@example.test'), act: { by: 'somebody' } })
  await one.add({ ...reset('ada@example.test'), kind: 'email_verification' })
  t.equal((await pool.query('SELECT FROM mail_outbox')).rowCount, 2)
  await one.finish(first)
  const claimed = await one.claim(2)
  t.equal(claimed.length, 2, 'the end of the one before is none of its own')
  const again = claimed.find(({ kind }) => kind === 'password_reset')
  t.match(again, { attempts: 1, act: { by: 'somebody' } })
})

test('with 10,000 on their way a further one is not taken', async (t) => {
  const { one, pool } = await openOutboxes(t)
  await pool.query(
    `INSERT INTO mail_outbox (id, kind, email_key, act, created_at)
     SELECT gen_random_uuid(), 'password_reset', number::text, '{}', now()
     FROM generate_series(1, 10000) AS number`,
  )
  t.equal(await one.add(reset('ada@example.test')), false)
  const claimed = await one.claim(1)
  for (const mail of claimed) await one.finish(mail)
  t.equal(await one.add(reset('ada@example.test')), true)
})

test('what can be sent no more is deleted', async (t) => {
  let nowMs = Date.now()
  const { one, pool } = await openOutboxes(t, () => nowMs)
  await one.add(reset('ada@example.test'))
  nowMs += 3 * DAY_MS
  await one.add(reset('grace@example.test'))
  await one.prune(nowMs + 1)
  const { rows } = await pool.query<{ email_key: string }>('SELECT email_key FROM mail_outbox')
  t.strictSame(rows, [{ email_key: 'grace@example.test' }])
})
