// Hashing over HTTP: who waits is served, who hangs up is not worked for, and full lanes are 503
// (docs/semantics.md §7, C22).

import { once } from 'node:events'
import { request } from 'node:http'
import { fastify } from 'fastify'
import { test } from 'tap'
import { registerUsers } from '../../../src/http/account/users-route.ts'
import { setErrorHandler } from '../../../src/http/server/error-handler.ts'
import { trustProxies } from '../../../src/http/server/peer-address.ts'
import { acceptJsonOnly, SERVER_OPTIONS } from '../../../src/http/server/server-options.ts'
import { openUserManagement } from '../../../src/management/user-management.ts'
import { openHashingLanes } from '../../../src/users/hashing-lanes.ts'
import { openPasswordCosts } from '../../../src/users/password-costs.ts'
import { openPasswordHasher } from '../../../src/users/password-hasher.ts'
import { FAST_ARGON2, openUserFixture, settle } from '../../scenes/user-fixture.ts'
import { testConfig } from '../../support/app.ts'

/** Registration alone, over lanes that the test holds. */
async function startRegistration(t: Parameters<typeof openUserFixture>[0], queueMax: number) {
  const { users } = await openUserFixture(t)
  const lanes = openHashingLanes({ lanes: 1, queueMax, waitMaxMs: 60_000 })
  let release = () => {}
  const held = lanes.run(() => new Promise<void>((resolve) => (release = resolve)))
  await settle()
  let isWaiting = () => {}
  const waiting = () => new Promise<void>((resolve) => (isWaiting = resolve))
  const hasher = openPasswordHasher({
    parameters: FAST_ARGON2,
    lanes: {
      ...lanes,
      run: (work, signal) => {
        const result = lanes.run(work, signal)
        isWaiting()
        return result
      },
    },
  })
  const app = fastify(SERVER_OPTIONS)
  setErrorHandler(app)
  trustProxies(app, [])
  acceptJsonOnly(app)
  const management = openUserManagement({
    users,
    hasher,
    passwordCosts: openPasswordCosts(FAST_ARGON2),
    passwordRules: testConfig(''),
    recordEvent: () => {},
  })
  registerUsers(app, management, 'open')
  t.teardown(() => app.close())
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/users`
  const bodyOf = (username: string) =>
    JSON.stringify({ username, email: `${username}@example.org`, password: 'correct horse' })
  const headers = { 'content-type': 'application/json' }
  return {
    users,
    lanes,
    waiting,
    release: () => {
      release()
      return held
    },
    register: (username: string) => fetch(url, { method: 'POST', headers, body: bodyOf(username) }),
    /** Sends a registration that the caller can hang up on. */
    openCall(username: string) {
      const call = request(url, { method: 'POST', headers })
      call.on('error', () => {})
      call.end(bodyOf(username))
      return call
    },
    server: app.server,
  }
}

test('a caller who waits for a lane is served', async (t) => {
  const { waiting, release, register } = await startRegistration(t, 1)
  const queued = waiting()
  const answer = register('alice')
  await queued
  await release()
  t.equal((await answer).status, 201)
})

test('a full queue is 503 with Retry-After at once', async (t) => {
  const { release, register } = await startRegistration(t, 0)
  const answer = await register('alice')
  t.equal(answer.status, 503)
  t.equal(answer.headers.get('retry-after'), '2')
  t.match(await answer.json(), { code: 'temporarily_unavailable' })
  await release()
})

test('a caller who hangs up leaves the queue, and is not worked for', async (t) => {
  const { users, waiting, release, register, openCall, server } = await startRegistration(t, 1)
  const connected = once(server, 'connection')
  const queued = waiting()
  const call = openCall('ghost')
  const [socket] = await connected
  await queued
  const closed = once(socket, 'close')
  call.destroy()
  await closed
  await settle()
  const queuedAgain = waiting()
  const answer = register('alice')
  await queuedAgain
  await release()
  t.equal((await answer).status, 201, 'the place in the queue was free')
  const names = (await users.list({}, { limit: 9, after: undefined })).items.map(
    (user) => user.username,
  )
  t.same(names, ['alice'])
})
