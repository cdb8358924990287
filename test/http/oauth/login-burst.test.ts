// A burst of logins is served as far as the lanes go, and refused by name beyond that: a pool in which
// everybody waits is no dead PostgreSQL.

import { test } from 'tap'
import { startApp } from '../../support/app.ts'

const LOGINS = 400
/** What a login may wait for. */
const QUEUES = new Set(['overloaded', 'login_queue_full', 'login_queue_timeout', 'database_queue'])

test('400 logins at once: each is let in or told which queue was full, and nothing is called down', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const form = {
    grant_type: 'password',
    client_id: client.id,
    username: user.username,
    password: user.password,
  }
  const answers = await Promise.all(Array.from({ length: LOGINS }, () => app.form('/token', form)))
  const statuses = new Set(answers.map(({ status }) => status))
  for (const status of statuses) t.ok([200, 503].includes(status), String(status))
  t.ok(statuses.has(200))
  const unavailable = answers.filter(({ status }) => status === 503)
  t.ok(unavailable.every(({ headers }) => headers.has('retry-after')))
  const reasons = app.log
    .filter(({ event, status }) => event === 'request.refused' && status === 503)
    .map(({ reason }) => String(reason))
  t.equal(reasons.length, unavailable.length)
  t.strictSame(
    reasons.filter((reason) => !QUEUES.has(reason)),
    [],
  )
  t.strictSame(
    app.log.filter(({ event }) => /^(dependency.down|request.failed|work.failed)$/.test(event)),
    [],
  )
})
