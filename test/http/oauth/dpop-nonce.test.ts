// Nonces of the server (RFC 9449 §8, C103): demanded, given, renewed in time, and known to every instance.

import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import { openRootSecrets } from '../../../src/secrets/root-secret.ts'
import { makeProver, refusalsOf, requestTokens } from '../../scenes/dpop-scene.ts'
import { ADMIN, startApp } from '../../support/app.ts'
import { ROOT_SECRET, rootSecretOf } from '../../support/root-secrets.ts'

const FORM = {
  grant_type: 'client_credentials',
  client_id: ADMIN.id,
  client_secret: ADMIN.secret,
}
const WINDOW_MS = 120_000
/** In the middle of a window. */
const START_MS = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS + WINDOW_MS / 2

test('a nonce is demanded by an answer that no cache keeps, and then taken (C103)', async (t) => {
  let nowMs = START_MS
  const app = await startApp(t, { config: { dpopNonce: 'token' }, clock: () => nowMs })
  const prover = await makeProver()
  const ask = async (nonce?: unknown, claims = {}) =>
    await requestTokens(app, FORM, prover.prove({ claims: { nonce, ...claims } }))
  const asked = await ask()
  t.equal(asked.status, 400)
  t.equal(asked.body.error, 'use_dpop_nonce')
  t.equal(asked.cacheControl, 'no-store')
  const first = asked.nonce ?? ''
  t.match(first, /^[\w-]{20,40}$/)
  const taken = await ask(first)
  t.equal(taken.status, 200)
  t.equal(taken.nonce, null, 'the newest is not told again')
  t.equal((await ask(first, { iat: 1 })).status, 200, 'a clock that is wrong does no harm')

  const tampered = `${first.slice(0, -3)}${first.endsWith('AAA') ? 'BBB' : 'AAA'}`
  for (const bad of [
    tampered,
    '',
    1,
    [first],
    `${first}=`,
    randomBytes(22).toString('base64url'),
  ]) {
    const answer = await ask(bad)
    t.equal(answer.body.error, 'use_dpop_nonce', String(bad))
    t.equal(answer.nonce, first)
  }
  t.strictSame(refusalsOf(app), ['dpop_nonce_missing', ...Array(6).fill('dpop_nonce_wrong')])

  nowMs += WINDOW_MS
  const renewed = await ask(first)
  t.equal(renewed.status, 200, 'that of the window before is good')
  const second = renewed.nonce ?? ''
  t.not(second, first, 'and the next one comes along')
  nowMs += WINDOW_MS
  t.equal((await ask(first)).body.error, 'use_dpop_nonce', 'and then not any more')
  t.equal((await ask(second)).status, 200)
  t.equal((await requestTokens(app, FORM)).body.token_type, 'Bearer', 'who sends none needs none')
})

test('a bad proof gets no nonce, and a demand for one is no failed client', async (t) => {
  const app = await startApp(t, { config: { dpopNonce: 'token' } })
  const prover = await makeProver()
  const bad = await requestTokens(app, FORM, prover.prove({ method: 'GET' }))
  t.strictSame([bad.body.error, bad.nonce], ['invalid_dpop_proof', null])
  const wrong = { ...FORM, client_secret: 'wrong' }
  const asked = await requestTokens(app, wrong, prover.prove())
  t.equal(asked.body.error, 'use_dpop_nonce')
  t.strictSame(refusalsOf(app), ['dpop_method_wrong', 'dpop_nonce_missing'])
})

test('another instance, a root secret later, takes the nonce; a stranger does not', async (t) => {
  const [next, foreign] = [rootSecretOf(1), rootSecretOf(2)]
  const config = { dpopNonce: 'token' } as const
  const one = await startApp(t, { config })
  const rolled = openRootSecrets([next, ROOT_SECRET])
  const two = await startApp(t, { beside: one, config: { ...config, rootSecrets: rolled } })
  const prover = await makeProver()
  const nonce = (await requestTokens(one, FORM, prover.prove())).nonce ?? ''
  const taken = await requestTokens(two, FORM, prover.prove({ claims: { nonce } }))
  t.equal(taken.status, 200)
  const theirs = openRootSecrets([foreign])
  const three = await startApp(t, { config: { ...config, rootSecrets: theirs } })
  const refused = await requestTokens(three, FORM, prover.prove({ claims: { nonce } }))
  t.equal(refused.body.error, 'use_dpop_nonce')
})

test('without a demand a nonce is not looked at', async (t) => {
  const app = await startApp(t)
  const prover = await makeProver()
  const { status, nonce } = await requestTokens(app, FORM, prover.prove({ claims: { nonce: 'x' } }))
  t.strictSame([status, nonce], [200, null])
})
