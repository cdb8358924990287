// Where the keys of a client come from, over time: a rollover has no gap, and a place that hangs, grows,
// redirects or is away lets nobody in.

import type { ServerResponse } from 'node:http'
import { test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import {
  claimsOf,
  expectRefused,
  expectToken,
  makeKeyClient,
  newKey,
  presentAssertion,
  signAssertion,
  startPublisher,
} from '../../scenes/assertion-scene.ts'
import { startApp } from '../../support/app.ts'
import { openTestRedis } from '../../support/redis.ts'

const EXEMPT = { throttleExempt: ['127.0.0.0/8'] }

test('two stated keys overlap, so that a rollover has no gap', async (t) => {
  const app = await startApp(t, { config: EXEMPT })
  const [old, next] = [newKey('old'), newKey('next', 'EdDSA')]
  const id = await makeKeyClient(app, [old])
  const present = async (key: typeof old) =>
    presentAssertion(app, await signAssertion(key, claimsOf(id)))
  const setKeys = async (...keys: (typeof old)[]) => {
    const jwks = { keys: keys.map(({ publicJwk }) => publicJwk) }
    t.equal((await app.admin('PATCH', `/admin/clients/${id}`, { jwks })).status, 200)
  }
  await expectToken(t, await present(old), 'the old key')
  await expectRefused(t, app, await present(next), 'client_assertion_key_unknown')
  await setKeys(old, next)
  await expectToken(t, await present(old), 'the old key beside the next one')
  await expectToken(t, await present(next), 'the next key beside the old one')
  await setKeys(next)
  await expectToken(t, await present(next), 'the next key')
  await expectRefused(t, app, await present(old), 'client_assertion_key_unknown')
})

test('a published key that is new is found at once, and one place is not asked for every stranger', async (t) => {
  const app = await startApp(t, { config: EXEMPT })
  const publisher = await startPublisher(t)
  const [old, next] = [newKey('old'), newKey('next')]
  publisher.publish(old)
  const input = { jwksUri: publisher.uri, allowPrivateNetwork: true }
  const id = await makeKeyClient(app, [], input)
  const present = async (key: typeof old) =>
    presentAssertion(app, await signAssertion(key, claimsOf(id)))
  await expectToken(t, await present(old), 'the old key')
  t.equal(publisher.looks(), 1)
  // Within 10 s of the last look nobody makes it look again.
  for (let count = 0; count < 5; count += 1) {
    await expectRefused(t, app, await present(next), 'client_assertion_key_unknown')
  }
  t.equal(publisher.looks(), 1)

  // A second instance has not looked yet: it finds the new key beside the old one at its first look.
  publisher.publish(next, old)
  const fresh = await startApp(t, { config: EXEMPT, beside: app })
  const there = async (key: typeof old) =>
    presentAssertion(fresh, await signAssertion(key, claimsOf(id)))
  await expectToken(t, await there(next), 'the next key')
  await expectToken(t, await there(old), 'the old key, still')
  await expectToken(t, await present(old), 'and where it was looked at before')
})

test('a place that does not give keys as it should lets nobody in, and says why in the log', async (t) => {
  const app = await startApp(t, { config: EXEMPT })
  const elsewhere = await startPublisher(t)
  const key = newKey('a')
  elsewhere.publish(key)
  const cases: [string, (response: ServerResponse) => void][] = [
    ['status_302', (response) => response.writeHead(302, { location: elsewhere.uri }).end()],
    ['too_large', (response) => response.end(' '.repeat(300 * 1024))],
    ['no_jwks', (response) => response.end('null')],
    ['timeout', () => {}],
  ]
  for (const [problem, answer] of cases) {
    const publisher = await startPublisher(t)
    publisher.answerWith(answer)
    const input = { jwksUri: publisher.uri, allowPrivateNetwork: true }
    const id = await makeKeyClient(app, [], input)
    const asked = await presentAssertion(app, await signAssertion(key, claimsOf(id)))
    await expectRefused(t, app, asked, 'client_assertion_keys_unavailable', problem)
    const failure = app.log.findLast(({ event }) => event === 'jwks.failed')
    t.match(failure, { host: new URL(publisher.uri).host, problem })
    const again = await presentAssertion(app, await signAssertion(key, claimsOf(id)))
    await expectRefused(t, app, again, 'client_assertion_keys_unavailable', problem)
    t.equal(publisher.looks(), 1, 'a failure is remembered')
  }
  t.equal(elsewhere.looks(), 0)
})

test('what looks public and leads to a private address is not asked', async (t) => {
  const app = await startApp(t, { config: EXEMPT })
  const key = newKey('a')
  const id = await makeKeyClient(app, [], { jwksUri: 'https://localhost:9/jwks' })
  const asked = await presentAssertion(app, await signAssertion(key, claimsOf(id)))
  await expectRefused(t, app, asked, 'client_assertion_keys_unavailable')
  const failure = app.log.findLast(({ event }) => event === 'jwks.failed')
  t.match(failure, { host: 'localhost:9', problem: 'address_refused' })
})

for (const where of ['postgresql', 'redis']) {
  test(`${where}: an assertion counts once over instances and a restart (C35)`, async (t) => {
    const redis = where === 'redis' ? parseRedisUrl((await openTestRedis(t)).url) : undefined
    const config = { ...EXEMPT, redis }
    const one = await startApp(t, { config })
    const other = await startApp(t, { config, beside: one })
    const key = newKey('a')
    const id = await makeKeyClient(one, [key])
    await other.service.clients.reload()
    const assertion = await signAssertion(key, claimsOf(id))
    const racing = Array.from({ length: 20 }, (_, index) =>
      presentAssertion(index % 2 === 0 ? one : other, assertion),
    )
    const statuses = (await Promise.all(racing)).map(({ status }) => status)
    t.equal(statuses.filter((status) => status === 200).length, 1)
    // A store that is too busy lets nobody in either.
    const refused = statuses.filter((status) => status === 401 || status === 503)
    t.equal(refused.length, 19, String(statuses))
    const restarted = await startApp(t, { config, beside: one })
    const answer = await presentAssertion(restarted, assertion)
    await expectRefused(t, restarted, answer, 'client_assertion_replayed')
  })
}
