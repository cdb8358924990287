// What may be used once while the store that remembers it is away (docs/semantics.md §12, §22, §23): nobody
// is let in and nothing is used up, so the same proof or assertion is good when the store is back, and once.

import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { openTcpProxy, type TcpProxy } from '../../contract/tcp-proxy.ts'
import {
  claimsOf,
  makeKeyClient,
  newKey,
  presentAssertion,
  signAssertion,
} from '../../scenes/assertion-scene.ts'
import { makeProver, requestTokens } from '../../scenes/dpop-scene.ts'
import { makeWorkload, presentToken, trustPlatform } from '../../scenes/platform-scene.ts'
import { ISSUER, type StartAppOptions, startApp, type TestApp } from '../../support/app.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

/** What is logged of requests that came to nothing. */
const OF_REQUESTS = /^(request|work|login|client)\..*(failed|refused)$/
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Sends the same bytes whenever it is called. */
type Send = () => Promise<Response>

/** What is refused when it is sent again, and with which status. */
interface Use {
  readonly send: Send
  readonly again: number
}

async function openWire(t: Test, address: string) {
  const url = new URL(address)
  const wire = await openTcpProxy(t, { host: url.hostname, port: Number(url.port || 5432) })
  url.hostname = '127.0.0.1'
  url.port = String(wire.port)
  return { wire, url: url.href }
}

/** A service whose families are behind a wire. */
const STORES: Record<string, (t: Test) => Promise<{ wire: TcpProxy; options: StartAppOptions }>> = {
  async redis(t) {
    const { wire, url } = await openWire(t, (await startRedis(t)).url)
    return { wire, options: { config: { redis: parseRedisUrl(url) } } }
  },
  async postgresql(t) {
    const { wire, url } = await openWire(t, (await openTestDatabase(t)).url)
    return { wire, options: { beside: { databaseUrl: url } } }
  },
}

/** Time stands still, so that nothing made here is too old at the end. */
async function openScene(t: Test, options: StartAppOptions) {
  const nowMs = Date.now()
  const iat = Math.floor(nowMs / 1000)
  const times = { iat, exp: iat + 60 }
  const app = await startApp(t, { ...options, clock: () => nowMs })
  const proofs = await openProofs(app, iat)
  const assertions = await openAssertions(app, times)
  return {
    app,
    /** Used by a token that is bound to nothing. */
    isBack: async () => (await app.fetch('/verify', { headers: proofs.free })).status === 200,
    makeUses: async () => ({ ...proofs.make(), ...(await assertions()) }),
  }
}

async function openProofs(app: TestApp, iat: number) {
  const service = await app.makeClient({ type: 'confidential', grantTypes: ['client_credentials'] })
  const asService = {
    grant_type: 'client_credentials',
    client_id: service.id,
    client_secret: service.secret,
  }
  const { id } = await app.makeClient({})
  const { username, password } = await app.makeUser()
  const login = { grant_type: 'password', client_id: id, username, password }
  const prover = await makeProver()
  const prove = (parts: object = {}) => prover.prove({ claims: { iat }, ...parts })
  const bound = (await requestTokens(app, login, prove())).body.access_token
  const free = (await requestTokens(app, login)).body.access_token
  const present = (path: string): Use => {
    const dpop = prove({ method: 'GET', url: `${ISSUER}${path}`, token: bound })
    const headers = { authorization: `DPoP ${bound}`, dpop }
    return { send: () => app.fetch(path, { headers }), again: 401 }
  }
  return {
    free: { authorization: `Bearer ${free}` },
    make(): Record<string, Use> {
      const dpop = prove()
      return {
        'DPoP at /token': { send: () => app.form('/token', asService, { dpop }), again: 400 },
        'DPoP at /verify': present('/verify'),
        'DPoP at /users/me': present('/users/me'),
      }
    },
  }
}

async function openAssertions(app: TestApp, times: object) {
  const key = newKey('a')
  const own = await makeKeyClient(app, [key])
  const [github, kubernetes, oidc] = [
    await trustPlatform(app, 'github'),
    await trustPlatform(app, 'kubernetes'),
    await trustPlatform(app, 'oidc', { subjects: { mode: 'own' } }),
  ]
  const [job, pod] = [await makeWorkload(app, github), await makeWorkload(app, kubernetes)]
  const taker = await app.makeClient({
    type: 'confidential',
    grantTypes: [GRANT],
    scopes: ['read'],
  })
  return async (): Promise<Record<string, Use>> => {
    const mine = await signAssertion(key, claimsOf(own, times))
    const [ofJob, ofPod, ofUser] = [
      await github.token({ claims: times }),
      await kubernetes.token({ claims: times }),
      await oidc.token({ claims: times }),
    ]
    const bearer = {
      grant_type: GRANT,
      client_id: taker.id,
      client_secret: taker.secret,
      assertion: ofUser,
    }
    return {
      private_key_jwt: { send: () => presentAssertion(app, mine), again: 401 },
      federated_jwt: { send: () => presentToken(app, job, ofJob), again: 401 },
      'federated_jwt, which is counted': { send: () => presentToken(app, pod, ofPod), again: 200 },
      'jwt-bearer': { send: () => app.form('/token', bearer), again: 400 },
    }
  }
}

/** The store comes back only afterwards: that there is an answer at all shows that the wait is bounded. */
async function isUnavailable(t: Test, uses: Record<string, Use>): Promise<void> {
  const answers = Object.entries(uses).map(async ([name, { send }]) => {
    const answer = await send()
    const body = await answer.text()
    t.equal(answer.status, 503, name)
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/, name)
    t.match(body, 'temporarily_unavailable', name)
    t.notMatch(body, 'access_token', name)
  })
  await Promise.all(answers)
}

for (const [store, open] of Object.entries(STORES)) {
  test(`${store} away: nobody is let in, and nothing is used up`, async (t) => {
    const { wire, options } = await open(t)
    const { app, isBack, makeUses } = await openScene(t, options)
    const outages: readonly (readonly [string, () => unknown, () => unknown])[] = [
      ['gone', () => wire.cut(), () => wire.heal()],
      // What was sent meanwhile arrives after all, when nobody waits for it any more.
      ['late', () => wire.stall(), () => wire.deliver()],
    ]
    for (const [what, begin, end] of outages) {
      const uses = await makeUses()
      await begin()
      const logged = app.log.length
      await isUnavailable(t, uses)
      const told = app.log.slice(logged).filter(({ event }) => OF_REQUESTS.test(event))
      t.strictSame(
        // Refused where it waited for a connection of ours, failed where the store did not answer.
        new Set(told.map(({ event, status }) => `${event.split('.')[0]} ${status}`)),
        new Set(['request 503']),
        'no fault of ours, and no failed attempt',
      )
      await end()
      await until(`${store} that was ${what}`, isBack)
      for (const [name, { send, again }] of Object.entries(uses)) {
        t.equal((await send()).status, 200, `${name}: good when it is back that was ${what}`)
        t.equal((await send()).status, again, `${name}: and then used up`)
      }
    }
  })
}

test('users away: an assertion about one of them is good when they are back', async (t) => {
  const { wire, url } = await openWire(t, (await openTestDatabase(t)).url)
  const redis = parseRedisUrl((await startRedis(t)).url)
  const nowMs = Date.now()
  const options = { config: { redis }, beside: { databaseUrl: url }, clock: () => nowMs }
  const app = await startApp(t, options)
  const subjects = { mode: 'users', claim: 'sub', match: 'id' }
  const idp = await trustPlatform(app, 'oidc', { subjects })
  const { id, secret } = await app.makeClient({ type: 'confidential', grantTypes: [GRANT] })
  const iat = Math.floor(nowMs / 1000)
  const claims = { sub: (await app.makeUser()).id, iat, exp: iat + 60 }
  const assertion = await idp.token({ claims })
  const form = { grant_type: GRANT, client_id: id, client_secret: secret, assertion }
  const send = () => app.form('/token', form)
  await wire.cut()
  await isUnavailable(t, { 'about a user': { send, again: 400 } })
  await wire.heal()
  await until('users that are back', async () => {
    return (await app.admin('GET', '/admin/users')).status === 200
  })
  t.equal((await send()).status, 200)
  t.equal((await send()).status, 400, 'and then used up')
})
