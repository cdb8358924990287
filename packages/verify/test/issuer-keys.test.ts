// The issuer's keys through outages, rotations, and strangers who name keys that nobody has.

import { test } from 'tap'
import { createVerifier } from '../src/verifier.ts'
import { AUDIENCE, bearer, type IssuerScene, startIssuerScene } from './issuer-scene.ts'

/** What one request may take here. */
const SHORT_MS = 300

function openVerifier({ issuer, nowMs }: IssuerScene, more: object = {}) {
  const verifier = createVerifier({
    issuer,
    audience: AUDIENCE,
    nowMs,
    timeoutMs: SHORT_MS,
    cachedTokens: 0,
    ...more,
  })
  return async (token: string) => {
    const result = await verifier.authorize(bearer(token))
    return result.ok ? 200 : result.refusal.status
  }
}

test('an outage of the issuer is not seen for a day, and then said to be one', async (t) => {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  const ask = openVerifier(scene)
  t.equal(await ask(await scene.sign(key)), 200)
  scene.answer = (response) => void response.destroy()
  scene.step(301_000)
  t.equal(await ask(await scene.sign(key)), 200)
  const asked = scene.asked
  for (let i = 0; i < 10; i += 1) t.equal(await ask(await scene.sign(key)), 200)
  t.equal(scene.asked, asked, 'it is not asked at every request')
  scene.step(86_000_000)
  t.equal(await ask(await scene.sign(key)), 200)
  scene.step(400_000)
  t.equal(await ask(await scene.sign(key)), 503)
  scene.answer = undefined
  scene.step(16_000)
  t.equal(await ask(await scene.sign(key)), 200)
})

test('without keys the answer is 503 with Retry-After, and one request a moment', async (t) => {
  const scene = await startIssuerScene(t)
  const token = await scene.sign(await scene.makeKey('key'))
  scene.answer = (response) => void response.writeHead(500).end()
  const verifier = createVerifier({ issuer: scene.issuer, audience: AUDIENCE, nowMs: scene.nowMs })
  const results = await Promise.all(
    Array.from({ length: 20 }, () => verifier.authorize(bearer(token))),
  )
  for (const result of results) {
    t.match(result, { refusal: { status: 503, headers: { 'retry-after': /^[12]$/ } } })
  }
  t.match(await verifier.authorize(bearer(token)), { refusal: { status: 503 } })
  t.equal(scene.asked, 1)
  scene.answer = undefined
  scene.step(1_001)
  t.match(await verifier.authorize(bearer(token)), { ok: true })
  t.equal(scene.asked, 2)
})

test('what hangs, grows, redirects or is no key set is no key set', async (t) => {
  const bad: Record<string, NonNullable<IssuerScene['answer']>> = {
    hangs: () => {},
    stalls: (response) => void response.write('{'),
    grows: (response) => {
      const more = () => {
        while (response.write(' '.repeat(16_384)));
      }
      response.on('drain', more)
      more()
    },
    redirects: (response) => void response.writeHead(302, { location: '/other' }).end(),
    'is no JSON': (response) => void response.end('<html>'),
    'is no set': (response) => void response.end('{"keys":{}}'),
    'is too many': (response) =>
      void response.end(JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })),
  }
  for (const [what, answer] of Object.entries(bad)) {
    const scene = await startIssuerScene(t)
    const key = await scene.makeKey('key')
    scene.answer = answer
    t.equal(await openVerifier(scene)(await scene.sign(key)), 503, what)
    const ask = openVerifier(scene)
    scene.answer = undefined
    t.equal(await ask(await scene.sign(key)), 200)
    scene.answer = answer
    scene.step(301_000)
    t.equal(await ask(await scene.sign(key)), 200, `${what}, while there are keys`)
  }
})

test('an unknown key is asked for once in a while, whoever names it', async (t) => {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  const ask = openVerifier(scene)
  t.equal(await ask(await scene.sign(key)), 200)
  const strange = await Promise.all(
    Array.from({ length: 30 }, (_, i) => scene.sign(key, {}, { kid: `strange-${i}` })),
  )
  t.strictSame(new Set(await Promise.all(strange.map(ask))), new Set([401]))
  t.equal(scene.asked, 2, 'one request for all of them')
  scene.step(5_001)
  const next = await scene.makeKey('next')
  t.equal(await ask(await scene.sign(next)), 200, 'a new key is found')
  t.equal(scene.asked, 3)
})

test('keys are asked for again before they are old, beside the requests', async (t) => {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  const ask = openVerifier(scene)
  const token = await scene.sign(key)
  t.equal(await ask(token), 200)
  scene.step(239_000)
  t.equal(await ask(token), 200)
  t.equal(scene.asked, 1)
  let answered = () => {}
  const asked = new Promise<void>((resolve) => {
    answered = resolve
  })
  scene.answer = () => answered()
  scene.step(2_000)
  t.equal(await ask(token), 200, 'although the issuer has not answered')
  await asked
  t.equal(scene.asked, 2)
})

test('a clock set back by an hour makes nobody wait for it', async (t) => {
  const hourMs = 3_600_000
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  scene.answer = (response) => void response.writeHead(500).end()
  const ask = openVerifier(scene)
  t.equal(await ask(await scene.sign(key)), 503)
  scene.answer = undefined
  scene.step(-hourMs)
  t.equal(await ask(await scene.sign(key)), 200, 'after a failure')
  t.equal(await ask(await scene.sign(key, {}, { kid: 'strange' })), 401)
  scene.step(-hourMs)
  const next = await scene.makeKey('next')
  t.equal(await ask(await scene.sign(next)), 200, 'nor for a new key')
  scene.keys = []
  scene.step(-hourMs)
  t.equal(await ask(await scene.sign(next)), 401, 'and what was withdrawn is not used on')
  scene.keys = [key.jwk]
  scene.step(6_000)
  t.equal(await ask(await scene.sign(key)), 200)
  scene.answer = (response) => void response.destroy()
  scene.step(-hourMs)
  t.equal(await ask(await scene.sign(key)), 200, 'while the issuer is away the last ones go on')
})

test('private and shared keys are not taken, whoever publishes them', async (t) => {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  scene.keys = [
    { ...key.jwk, d: 'AAAA' },
    { kty: 'oct', kid: 'key', k: 'AAAA', alg: 'HS256' },
    { ...key.jwk, use: 'enc' },
  ]
  t.equal(await openVerifier(scene)(await scene.sign(key)), 401)
})
