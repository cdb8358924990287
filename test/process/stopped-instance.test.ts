// An instance that stands still while its clients go elsewhere: what they had sent it is not carried
// out when it wakes.

import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { logIn, type TokenAnswer } from '../support/app.ts'
import {
  type LineageProcess,
  refresh,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const GRACE_MS = 1_000
const CLIENTS = 5

/** Sends one refresh and hangs up; resolves when all of that is on its way. */
async function sendAndLeave(
  { port }: LineageProcess,
  client: { readonly id: string },
  refreshToken: string,
): Promise<void> {
  const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: refreshToken }
  const body = new URLSearchParams(form).toString()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.end(
    `POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
  await once(socket, 'finish')
}

test('a refresh that its client repeated elsewhere is not carried out by an instance that wakes', async (t) => {
  const { url } = await openTestDatabase(t)
  const sleeper = await startLineage(t, serverEnvironment(url))
  const client = await sleeper.makeClient({ refreshGraceSeconds: GRACE_MS / 1_000 })
  const user = await sleeper.makeUser()
  const other = await startLineage(t, serverEnvironment(url))
  const logins: TokenAnswer[] = []
  for (let i = 0; i < CLIENTS; i += 1) logins.push(await logIn(sleeper, client, user))

  sleeper.signal('SIGSTOP')
  const repeated: TokenAnswer[] = []
  for (const login of logins) {
    await sendAndLeave(sleeper, client, login.refresh_token)
    const answer = await refresh(other, client, login.refresh_token)
    t.equal(answer.status, 200)
    repeated.push((await answer.json()) as TokenAnswer)
  }
  const repeatedAt = performance.now()
  await until('the end of the grace', () => performance.now() > repeatedAt + GRACE_MS)
  sleeper.signal('SIGCONT')

  // Whoever waits for it is served, after those that came before.
  for (const { refresh_token } of repeated) {
    t.equal((await refresh(sleeper, client, refresh_token)).status, 200)
  }
  t.strictSame(sleeper.log('refresh.reuse_detected'), [])
})
