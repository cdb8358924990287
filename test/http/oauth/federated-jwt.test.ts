// Clients that a platform vouches for: every kind with its real claims, what is used once and what is
// counted, keys that are fetched, and changes that hold at once.

import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { ISSUER_KINDS } from '../../../src/trust/trusted-issuer.ts'
import { expectRefused, expectToken, newKey, startPublisher } from '../../scenes/assertion-scene.ts'
import {
  makeWorkload,
  POD,
  playPlatform,
  presentToken,
  trustPlatform,
} from '../../scenes/platform-scene.ts'
import { ISSUER, startApp, type TestApp } from '../../support/app.ts'
import { readEvents, waitForEvent } from '../../support/audit.ts'
import { openTestRedis } from '../../support/redis.ts'

test('a token of every kind of platform proves the client that lists its subject', async (t) => {
  const app = await startApp(t)
  for (const kind of ISSUER_KINDS) {
    const platform = await trustPlatform(app, kind)
    const client = await makeWorkload(app, platform)
    await expectToken(t, await presentToken(app, client, await platform.token()), kind)
    const asList = await platform.token({ claims: { aud: ISSUER } })
    await expectToken(t, await presentToken(app, client, asList), `${kind}: aud as a string`)
  }
})

test('at /introspect and /revoke as well', async (t) => {
  const app = await startApp(t)
  const platform = await trustPlatform(app, 'github')
  const client = await makeWorkload(app, platform)
  for (const path of ['/introspect', '/revoke']) {
    const answer = await app.form(path, {
      token: 'anything',
      client_id: client,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await platform.token(),
    })
    t.equal(answer.status, 200, path)
  }
})

for (const store of ['postgresql', 'redis']) {
  test(`${store}: a token is good once, with a jti or without`, async (t) => {
    const redis = store === 'redis' ? parseRedisUrl((await openTestRedis(t)).url) : undefined
    const app = await startApp(t, { config: { redis } })
    const platform = await trustPlatform(app, 'github')
    const client = await makeWorkload(app, platform)
    for (const claims of [{}, { jti: undefined }]) {
      const token = await platform.token({ claims })
      await expectToken(t, await presentToken(app, client, token), 'the first time')
      const again = await presentToken(app, client, token)
      await expectRefused(t, app, again, 'client_assertion_replayed')
    }
    const other = await startApp(t, { config: { redis }, beside: app })
    const token = await platform.token()
    await other.service.trustedIssuers.reload()
    await expectToken(t, await presentToken(other, client, token), 'at another instance')
    const here = await presentToken(app, client, token)
    await expectRefused(t, app, here, 'client_assertion_replayed')
  })

  test(`${store}: a token of a pod is counted, and told of when it comes from elsewhere`, async (t) => {
    const redis = store === 'redis' ? parseRedisUrl((await openTestRedis(t)).url) : undefined
    const trustProxy = ['127.0.0.0/8']
    const app = await startApp(t, { config: { redis, trustProxy } })
    const platform = await trustPlatform(app, 'kubernetes')
    const client = await makeWorkload(app, platform)
    const token = await platform.token()
    await presentFrom(t, app, client, token, ['203.0.113.7', '203.0.113.7', '198.51.100.9'])
    const event = await waitForEvent(app, 'client.token_used_elsewhere')
    t.match(event, {
      clientId: client,
      ip: '198.51.100.9',
      detail: { trustedIssuer: 'kubernetes', pod: POD, uses: 3, count: 1 },
    })
    t.equal((await readEvents(app, '&type=client.token_used_elsewhere')).length, 1)
  })
}

async function presentFrom(
  t: Test,
  app: TestApp,
  client: string,
  token: string,
  ips: readonly string[],
) {
  const form = {
    grant_type: 'client_credentials',
    client_id: client,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: token,
  }
  for (const ip of ips) {
    await expectToken(t, await app.form('/token', form, { 'x-forwarded-for': ip }), ip)
  }
}

test('a JWT-SVID is counted by itself where its issuer says so, whatever it says of a pod', async (t) => {
  const app = await startApp(t, { config: { trustProxy: ['127.0.0.0/8'] } })
  const platform = await trustPlatform(app, 'spiffe', { replay: 'reusable' })
  const client = await makeWorkload(app, platform)
  const claims = { 'kubernetes.io': { pod: { uid: POD } } }
  const first = await platform.token({ claims })
  const second = await platform.token({ claims: { ...claims, jti: 'another' } })
  await presentFrom(t, app, client, first, ['203.0.113.7', '203.0.113.7'])
  await presentFrom(t, app, client, second, ['198.51.100.9', '203.0.113.7'])
  const event = await waitForEvent(app, 'client.token_used_elsewhere')
  t.match(event, { ip: '203.0.113.7', detail: { trustedIssuer: 'spiffe', uses: 2, count: 1 } })
  t.notOk('pod' in (event.detail ?? {}))
})

test('a refused token is not used up', async (t) => {
  const app = await startApp(t)
  const platform = await trustPlatform(app, 'github')
  const client = await makeWorkload(app, platform)
  const other = await makeWorkload(app, platform, { subject: 'repo:acme/api:ref:refs/heads/main' })
  const secret = await makeWorkload(app, platform, {}, { authMethods: ['client_secret_basic'] })
  const token = await platform.token()
  const refused = [
    [other, 'client_assertion_subject_differs'],
    ['nobody', 'client_unknown'],
    [secret, 'client_method_not_allowed'],
  ] as const
  for (const [id, reason] of refused) {
    await expectRefused(t, app, await presentToken(app, id, token), reason)
  }
  await expectToken(t, await presentToken(app, client, token), 'its own client')
})

test('an issuer that is removed is nobody at once, and its keys change without a gap', async (t) => {
  const app = await startApp(t)
  const publisher = await startPublisher(t)
  const platform = playPlatform('github')
  publisher.publish(platform.key)
  const fetched = { jwksUri: publisher.uri, allowPrivateNetwork: true }
  await trustPlatform(app, 'github', fetched, platform)
  const client = await makeWorkload(app, platform)
  await expectToken(t, await presentToken(app, client, await platform.token()), 'fetched keys')
  t.equal(publisher.looks(), 1)
  const patch = { jwksUri: null, jwks: { keys: [newKey('github-2', 'RS256').publicJwk] } }
  await app.admin('PATCH', '/admin/trusted-issuers/github', patch)
  const old = await presentToken(app, client, await platform.token())
  await expectRefused(t, app, old, 'client_assertion_key_unknown')
  await app.admin('DELETE', '/admin/trusted-issuers/github')
  const gone = await presentToken(app, client, await platform.token())
  await expectRefused(t, app, gone, 'client_assertion_issuer_unknown')
})
