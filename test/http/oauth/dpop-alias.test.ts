// A proof by the second name of the service, where certificates are asked for (RFC 8705 §5, RFC 9449 §4.3):
// at the token endpoint, and with a token that is bound to a key and to a certificate.

import { type Test, test } from 'tap'
import { makeProver, refusalsOf, requestTokens, TOKEN_URL } from '../../scenes/dpop-scene.ts'
import { ISSUER, startApp } from '../../support/app.ts'
import { makeSelfSigned } from '../../support/certificates.ts'

const MTLS_ORIGIN = 'https://mtls.example.test'
const ALIAS = `${MTLS_ORIGIN}/token`

async function askWith(t: Test, config: object) {
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

const CERTIFICATE = { 'client-cert': makeSelfSigned({ subject: [['CN', 'mine']] }).header }

interface CallParts {
  readonly headers?: Record<string, string>
  readonly claims?: Record<string, unknown>
}

/** A token that is bound to a key and to the certificate that a proxy has passed on, and calls with it. */
async function openBothScene(t: Test) {
  const config = { mtlsOrigin: MTLS_ORIGIN, trustProxy: ['127.0.0.0/8'] }
  const app = await startApp(t, { config })
  const client = await app.makeClient({
    dpopBoundAccessTokens: true,
    tlsClientCertificateBoundAccessTokens: true,
  })
  const { username, password } = await app.makeUser()
  const form = { grant_type: 'password', client_id: client.id, username, password }
  const prover = await makeProver()
  const login = await requestTokens(app, form, prover.prove({ url: ALIAS }), CERTIFICATE)
  const token = login.body.access_token
  const call = async (
    path: string,
    url: string,
    { headers = CERTIFICATE, claims = {} }: CallParts = {},
  ) => {
    const dpop = prover.prove({ method: 'GET', url, token, claims })
    const bearing = { authorization: `DPoP ${token}`, dpop, ...headers }
    return (await app.fetch(path, { headers: bearing })).status
  }
  return { app, login, call }
}

test('a token that is bound to both is presented by either name of a path, and by no other', async (t) => {
  const { app, login, call } = await openBothScene(t)
  t.strictSame([login.status, login.body.token_type], [200, 'DPoP'])
  for (const path of ['/users/me', '/users/me/sessions', '/verify']) {
    for (const origin of [MTLS_ORIGIN, ISSUER]) {
      t.equal(await call(path, `${origin}${path}`), 200, `${origin}${path}`)
    }
  }
  const claims = { jti: 'one-and-the-same-id' }
  t.equal(await call('/users/me', `${MTLS_ORIGIN}/users/me`, { claims }), 200)
  const told = {
    ...CERTIFICATE,
    'x-forwarded-method': 'GET',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': new URL(ISSUER).host,
    'x-forwarded-uri': '/notes/1',
  }
  t.equal(await call('/verify', `${ISSUER}/notes/1`, { headers: told }), 200)
  const refusals: readonly (readonly [reason: string, path: string, url: string, CallParts])[] = [
    ['dpop_replayed', '/users/me', `${ISSUER}/users/me`, { claims }],
    ['dpop_url_wrong', '/users/me', `${MTLS_ORIGIN}/users/me/sessions`, {}],
    ['dpop_url_wrong', '/users/me', 'https://mtls.example.test.evil.test/users/me', {}],
    ['dpop_url_wrong', '/users/me', `${MTLS_ORIGIN}:8443/users/me`, {}],
    ['dpop_url_wrong', '/users/me', 'http://mtls.example.test/users/me', {}],
    ['certificate_absent', '/users/me', `${MTLS_ORIGIN}/users/me`, { headers: {} }],
    ['dpop_url_wrong', '/verify', `${MTLS_ORIGIN}/notes/1`, { headers: told }],
  ]
  for (const [reason, path, url, options] of refusals) {
    t.equal(await call(path, url, options), 401, `${reason}: ${url}`)
  }
  t.strictSame(
    refusalsOf(app),
    refusals.map(([reason]) => reason),
    'what a gateway tells of has the name that the gateway tells',
  )
})
