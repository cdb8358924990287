// How long a token is kept, who waits for a new one, and what happens when there is none.

import { inspect } from 'node:util'
import { test } from 'tap'
import { OAuthResponseError } from '../src/client-errors.ts'
import { createTokenSource } from '../src/token-source.ts'
import {
  answerJson,
  issueTokens,
  type ScriptedIssuer,
  startScriptedIssuer,
} from './scripted-issuer.ts'
import { createSteppedClock } from './stepped-clock.ts'

const SECRET = 'a secret that is nowhere to be seen'

function openSource({ tokenEndpoint }: ScriptedIssuer, more: object = {}) {
  const clock = createSteppedClock()
  const auth = { method: 'client_secret_post', secret: SECRET } as const
  const source = createTokenSource({ tokenEndpoint, clientId: 'client', auth, clock, ...more })
  const get = async () => (await source.getToken()).accessToken
  return { source, clock, get }
}

test('a token is asked for once, whoever waits for it, and kept', async (t) => {
  const issuer = await startScriptedIssuer(t, issueTokens())
  const { get } = openSource(issuer)
  t.strictSame(new Set(await Promise.all(Array.from({ length: 50 }, get))), new Set(['token-1']))
  t.equal(await get(), 'token-1')
  t.equal(issuer.requests.length, 1)
})

test('it is renewed beside its callers before it ends, and they wait only at its end', async (t) => {
  const issuer = await startScriptedIssuer(t, issueTokens())
  const { get, clock } = openSource(issuer)
  await get()
  clock.step(449_000)
  t.equal(await get(), 'token-1', 'before three quarters of its life')
  t.equal(issuer.requests.length, 1)

  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  issuer.script = async (request, response, number) => {
    await held
    await issueTokens()(request, response, number)
  }
  clock.step(2_000)
  t.equal(await get(), 'token-1', 'nobody waits for the renewal')
  t.equal(await get(), 'token-1')
  clock.step(145_000)
  const late = Promise.all([get(), get()])
  release()
  t.strictSame(await late, ['token-2', 'token-2'], 'within its last seconds they do')
  t.equal(issuer.requests.length, 2)
})

test('scopes and resources have tokens of their own, in whichever order they stand', async (t) => {
  const issuer = await startScriptedIssuer(t, issueTokens())
  const { source } = openSource(issuer, { scope: 'a b', resource: 'https://one.example.test' })
  const get = async (call: object) => (await source.getToken(call)).accessToken
  t.equal(await get({}), 'token-1')
  t.equal(await get({ scope: 'b' }), 'token-2')
  t.equal(issuer.requests[1]?.form.get('resource'), 'https://one.example.test', 'the rest stays')
  t.equal(await get({ scope: 'x y' }), 'token-3')
  t.equal(await get({ scope: 'y x' }), 'token-3')
  t.equal(await get({ resource: ['https://b.example.test', 'https://a.example.test'] }), 'token-4')
  t.strictSame(issuer.requests[3]?.form.getAll('resource').length, 2)
  for (let i = 0; i < 100; i += 1) await get({ scope: `s${i}` })
  t.equal(await get({ scope: 'b' }), 'token-105', 'of a hundred kinds the oldest makes room')
})

test('after a failure the same error is given for a while, and longer after each', async (t) => {
  const refusal = { error: 'invalid_client', error_description: `no ${SECRET} is known` }
  const issuer = await startScriptedIssuer(t, (_, response) => answerJson(response, 401, refusal))
  const { get, clock } = openSource(issuer)
  const error = await get().catch((found) => found)
  t.ok(error instanceof OAuthResponseError)
  t.match(error, { error: 'invalid_client', status: 401 })
  t.notMatch(inspect(error), SECRET, 'what the server repeats of it is left out')
  for (let i = 0; i < 20; i += 1) await t.rejects(get(), error)
  t.equal(issuer.requests.length, 1, 'a refusal is asked for once')
  clock.step(1_001)
  await t.rejects(get(), { name: 'OAuthResponseError', error: 'invalid_client' })
  clock.step(1_001)
  await t.rejects(get(), { name: 'OAuthResponseError', error: 'invalid_client' })
  t.equal(issuer.requests.length, 2)
  issuer.script = issueTokens()
  clock.step(1_001)
  t.equal(await get(), 'token-3')
})

test('while the service is away a token is used to its end, without a request at each call', async (t) => {
  const issuer = await startScriptedIssuer(t, issueTokens())
  const { get, clock } = openSource(issuer)
  await get()
  issuer.script = (_, response) => void response.destroy()
  clock.step(596_000)
  t.equal(await get(), 'token-1')
  const asked = issuer.requests.length
  t.equal(asked, 4, 'three attempts')
  for (let i = 0; i < 20; i += 1) t.equal(await get(), 'token-1')
  t.equal(issuer.requests.length, asked)
  clock.step(5_000)
  await t.rejects(get(), { name: 'TokenRequestError', code: 'network' })
})

test('who gives up ends the request only when nobody else waits', async (t) => {
  const issuer = await startScriptedIssuer(t, issueTokens())
  const { source } = openSource(issuer)
  const [one, other] = [new AbortController(), new AbortController()]
  const first = source.getToken({ signal: one.signal })
  const second = source.getToken({ signal: other.signal })
  one.abort(new Error('enough'))
  await t.rejects(first, { message: 'enough' })
  t.equal((await second).accessToken, 'token-1')

  let closed = () => {}
  const ended = new Promise<void>((resolve) => {
    closed = resolve
  })
  let arrived = () => {}
  const asked = new Promise<void>((resolve) => {
    arrived = resolve
  })
  issuer.script = (_, response) => {
    response.on('close', closed)
    arrived()
  }
  const only = source.getToken({ scope: 'x', signal: other.signal })
  await asked
  other.abort(new Error('enough'))
  await t.rejects(only, { message: 'enough' })
  await ended
  await t.rejects(source.getToken({ signal: other.signal }), { message: 'enough' })
  issuer.script = issueTokens()
  t.ok(await source.getToken({ scope: 'x' }), 'and that was no failure')
})

test('a 401 of the API is met with one new token, and with no storm of them', async (t) => {
  const issuer = await startScriptedIssuer(t, issueTokens())
  const { source, clock } = openSource(issuer)
  const seen: string[] = []
  let good = 'token-1'
  const api = await startScriptedIssuer(t, ({ headers }, response) => {
    seen.push(String(headers.authorization))
    answerJson(response, headers.authorization === `Bearer ${good}` ? 200 : 401, {})
  })
  t.equal((await source.fetch(api.url)).status, 200)
  good = 'token-2'
  t.equal((await source.fetch(api.url, { method: 'POST', body: 'again' })).status, 200)
  t.strictSame(seen, ['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
  good = 'another'
  for (let i = 0; i < 10; i += 1) t.equal((await source.fetch(api.url)).status, 401)
  t.equal(issuer.requests.length, 2)
  clock.step(30_001)
  t.equal((await source.fetch(api.url)).status, 401)
  t.equal(issuer.requests.length, 3)
  const body = new Blob(['once']).stream()
  const once = { method: 'POST', body, duplex: 'half' } as RequestInit
  clock.step(30_001)
  t.equal((await source.fetch(api.url, once)).status, 401, 'a stream is sent once')
  t.equal(issuer.requests.length, 3)
})

test('a clock set back by an hour makes nobody wait for it', async (t) => {
  const hourMs = 3_600_000
  const issuer = await startScriptedIssuer(t, (_, response) =>
    answerJson(response, 401, { error: 'invalid_client' }),
  )
  const { source, get, clock } = openSource(issuer)
  await t.rejects(get(), { name: 'OAuthResponseError', error: 'invalid_client' })
  issuer.script = issueTokens()
  clock.step(-hourMs)
  t.equal(await get(), 'token-2', 'after a failure')
  const api = await startScriptedIssuer(t, (_, response) => answerJson(response, 401, {}))
  await source.fetch(api.url)
  t.equal(issuer.requests.length, 3)
  clock.step(-hourMs)
  t.equal(await get(), 'token-4', 'and no token is believed to be young for it')
  await source.fetch(api.url)
  t.equal(issuer.requests.length, 5, 'nor kept although it was refused')
  issuer.script = (_, response) => void response.destroy()
  clock.step(-hourMs)
  t.equal(await get(), 'token-5', 'while the service is away the last one goes on')
})

test('a token shows nothing of itself', async (t) => {
  const issuer = await startScriptedIssuer(t, issueTokens({ refresh_token: 'refresh-1' }))
  const { source } = openSource(issuer)
  const token = await source.getToken()
  const { accessToken, refreshToken } = token
  t.strictSame([accessToken, refreshToken], ['token-1', 'refresh-1'])
  for (const shown of [
    inspect(token, { depth: 9, showHidden: true }),
    JSON.stringify(token),
    `${token}`,
  ]) {
    t.notMatch(shown, 'token-1')
    t.notMatch(shown, 'refresh-1')
  }
  t.notMatch(inspect(source, { depth: 9 }), SECRET)
})
