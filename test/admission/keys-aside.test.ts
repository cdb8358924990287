// Whoever makes clients wait for keys that do not come takes no place of honest refreshes.

import type { Test } from 'tap'
import { test } from 'tap'
import { REFRESHES_MAX } from '../../src/admission/refresh-slots.ts'
import { WAITING_MAX } from '../../src/assertions/remote-keys.ts'
import {
  claimsOf,
  makeKeyClient,
  newKey,
  presentAssertion,
  signAssertion,
  startPublisher,
} from '../scenes/assertion-scene.ts'
import { startApp } from '../support/app.ts'

/** More than could wait in all the places of refreshes. */
const CLIENTS = Math.floor(REFRESHES_MAX / WAITING_MAX) + 1

async function openScene(t: Test) {
  const app = await startApp(t, { config: { throttleExempt: ['127.0.0.0/8'] } })
  const { username, password } = await app.makeUser()
  const { id } = await app.makeClient({})
  const login = { client_id: id, grant_type: 'password', username, password }
  const tokens = (await (await app.form('/token', login)).json()) as { refresh_token: string }
  const { refresh_token } = tokens
  const refresh = () =>
    app.form('/token', { client_id: id, grant_type: 'refresh_token', refresh_token })
  return { app, refresh }
}

test('assertions whose keys do not come hold up no other refresh', async (t) => {
  const { app, refresh } = await openScene(t)
  const publisher = await startPublisher(t)
  publisher.answerWith(() => {})
  const forged = { grant_type: 'refresh_token', refresh_token: 'of nobody' }
  const asked: Promise<Response>[] = []
  for (let client = 0; client < CLIENTS; client += 1) {
    const jwksUri = `${publisher.uri}?${client}`
    const grantTypes = ['client_credentials', 'refresh_token']
    const id = await makeKeyClient(app, [], { jwksUri, allowPrivateNetwork: true, grantTypes })
    const assertion = await signAssertion(newKey('nobodys'), claimsOf(id))
    const ofClient = Array.from({ length: WAITING_MAX + 1 }, () =>
      presentAssertion(app, assertion, forged),
    )
    asked.push(...ofClient)
    // One more than may wait: once it is refused, all the others do.
    t.equal((await Promise.race(ofClient)).status, 401)
  }
  t.equal((await refresh()).status, 200)
  const statuses = (await Promise.all(asked)).map(({ status }) => status)
  t.ok(
    statuses.every((status) => status === 401),
    'each has been refused for its keys, and not as overload',
  )
  t.notOk(app.log.some(({ reason }) => reason === 'overloaded'))
})
