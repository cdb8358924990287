// A proof at the token endpoint by its second name, where certificates are asked for (RFC 8705 §5,
// RFC 9449 §4.3).

import { test } from 'tap'
import { makeProver, refusalsOf, requestTokens, TOKEN_URL } from '../../scenes/dpop-scene.ts'
import { startApp } from '../../support/app.ts'

const MTLS_ORIGIN = 'https://mtls.example.test'
const ALIAS = `${MTLS_ORIGIN}/token`

async function askWith(t: Parameters<typeof startApp>[0], config: object) {
  const app = await startApp(t, { config })
  const client = await app.makeClient({ type: 'confidential', grantTypes: ['client_credentials'] })
  const form = {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
  }
  return { app, ask: (proof: string) => requestTokens(app, form, proof) }
}

test('a proof may be for either name of /token, and for no other', async (t) => {
  const { app, ask } = await askWith(t, { mtlsOrigin: MTLS_ORIGIN, dpopNonce: 'off' })
  const prover = await makeProver()
  for (const url of [ALIAS, TOKEN_URL, `${ALIAS}?a=b`]) {
    const { status, body } = await ask(prover.prove({ url }))
    t.equal(status, 200, url)
    t.equal(body.token_type, 'DPoP')
  }
  const wrong = [
    `${MTLS_ORIGIN}/`,
    `${MTLS_ORIGIN}/revoke`,
    `${MTLS_ORIGIN}:8443/token`,
    'https://mtls.example.test.evil.test/token',
    'http://mtls.example.test/token',
  ]
  for (const url of wrong) {
    const { status, body } = await ask(prover.prove({ url }))
    t.equal(status, 400, url)
    t.equal(body.error, 'invalid_dpop_proof')
  }
  t.strictSame(refusalsOf(app), Array(wrong.length).fill('dpop_url_wrong'))
})

test('a proof for the one name is used up for the other', async (t) => {
  const { app, ask } = await askWith(t, { mtlsOrigin: MTLS_ORIGIN, dpopNonce: 'off' })
  const prover = await makeProver()
  const claims = { jti: 'one-and-the-same-id' }
  t.equal((await ask(prover.prove({ url: ALIAS, claims }))).status, 200)
  const again = await ask(prover.prove({ url: TOKEN_URL, claims }))
  t.equal(again.status, 400)
  t.equal(again.body.error, 'invalid_dpop_proof')
  t.strictSame(refusalsOf(app), ['dpop_replayed'])
})

test('a nonce is demanded by the second name too, and good for both', async (t) => {
  const { ask } = await askWith(t, { mtlsOrigin: MTLS_ORIGIN, dpopNonce: 'token' })
  const prover = await makeProver()
  const asked = await ask(prover.prove({ url: ALIAS }))
  t.equal(asked.status, 400)
  t.equal(asked.body.error, 'use_dpop_nonce')
  for (const url of [ALIAS, TOKEN_URL]) {
    const { status } = await ask(prover.prove({ url, claims: { nonce: asked.nonce } }))
    t.equal(status, 200, url)
  }
})

test('without a second name there is one', async (t) => {
  const { app, ask } = await askWith(t, { dpopNonce: 'off' })
  const { status, body } = await ask((await makeProver()).prove({ url: ALIAS }))
  t.equal(status, 400)
  t.equal(body.error, 'invalid_dpop_proof')
  t.strictSame(refusalsOf(app), ['dpop_url_wrong'])
})
