// Presenting a bound token (RFC 9449 §7): at one's account, at /admin and at /verify, where the proof is for
// the request that a trusted gateway tells of. Without the proof it is worth nothing.

import { type Test, test } from 'tap'
import { makeProver, type ProofParts, refusalsOf, requestTokens } from '../../scenes/dpop-scene.ts'
import { ADMIN, ISSUER, type StartAppOptions, startApp } from '../../support/app.ts'

const ME = `${ISSUER}/users/me`

async function openScene(t: Test, options: StartAppOptions = {}) {
  const app = await startApp(t, options)
  const client = await app.makeClient({})
  const { username, password } = await app.makeUser()
  const prover = await makeProver()
  const login = { grant_type: 'password', client_id: client.id, username, password }
  const bound = (await requestTokens(app, login, prover.prove())).body.access_token
  const free = (await requestTokens(app, login)).body.access_token
  const call = async (
    path: string,
    { token = bound, scheme = 'DPoP', dpop, ...init }: Call = {},
  ): Promise<{ status: number; challenge: string; code: unknown; nonce: string | null }> => {
    const headers = { authorization: `${scheme} ${token}`, ...(dpop !== undefined && { dpop }) }
    const answer = await app.fetch(path, { ...init, headers: { ...headers, ...init.headers } })
    const text = await answer.text()
    return {
      status: answer.status,
      challenge: answer.headers.get('www-authenticate') ?? '',
      code: text.startsWith('{') ? JSON.parse(text).code : undefined,
      nonce: answer.headers.get('dpop-nonce'),
    }
  }
  const prove = (parts: ProofParts = {}) =>
    prover.prove({ method: 'GET', url: ME, token: bound, ...parts })
  return { app, client, login, prover, bound, free, call, prove }
}

interface Call extends RequestInit {
  readonly token?: string
  readonly scheme?: string
  readonly dpop?: string
}

test("one's account takes a bound token with a proof made for it, once", async (t) => {
  const { app, call, prove, free, prover } = await openScene(t)
  const proof = prove()
  t.equal((await call('/users/me', { dpop: proof })).status, 200)
  t.equal((await call('/users/me', { dpop: prove(), scheme: 'dpop' })).status, 200)
  const refusals: readonly (readonly [reason: string, code: string, call: Call])[] = [
    ['dpop_replayed', 'invalid_dpop_proof', { dpop: proof }],
    ['token_unproven', 'invalid_token', { scheme: 'Bearer' }],
    ['token_unproven', 'invalid_token', { scheme: 'Bearer', dpop: prove() }],
    ['dpop_missing', 'invalid_dpop_proof', {}],
    ['dpop_malformed', 'invalid_dpop_proof', { dpop: 'x' }],
    ['dpop_token_hash_wrong', 'invalid_dpop_proof', { dpop: prove({ token: free }) }],
    [
      'dpop_token_hash_wrong',
      'invalid_dpop_proof',
      { dpop: prove({ claims: { ath: undefined } }) },
    ],
    ['dpop_method_wrong', 'invalid_dpop_proof', { dpop: prove({ method: 'POST' }) }],
    ['dpop_url_wrong', 'invalid_dpop_proof', { dpop: prove({ url: `${ME}/sessions` }) }],
    ['dpop_too_old', 'invalid_dpop_proof', { dpop: prove({ claims: { iat: 1 } }) }],
    [
      'token_unbound',
      'invalid_token',
      { token: free, dpop: prover.prove({ method: 'GET', url: ME, token: free }) },
    ],
  ]
  for (const [reason, code, options] of refusals) {
    const answer = await call('/users/me', options)
    t.equal(answer.status, 401, reason)
    t.equal(answer.code, code, reason)
    t.match(answer.challenge, `DPoP error="${code}", algs="ES256 EdDSA`, reason)
  }
  t.strictSame(
    refusalsOf(app),
    refusals.map(([reason]) => reason),
  )
  t.equal((await call('/users/me', { token: free, scheme: 'Bearer' })).status, 200)
})

test("another key's proof of a stolen token is refused", async (t) => {
  const { app, call, bound } = await openScene(t)
  const thief = await makeProver()
  const dpop = thief.prove({ method: 'GET', url: ME, token: bound })
  const answer = await call('/users/me', { dpop })
  t.strictSame([answer.status, answer.code], [401, 'invalid_token'])
  t.strictSame(refusalsOf(app), ['token_of_other_key'])
})

test('a body is sent under one proof, though the token is looked at twice', async (t) => {
  const { call, prove, login } = await openScene(t)
  const url = `${ME}/password`
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ currentPassword: login.password, newPassword: 'a better horse' }),
  }
  const dpop = prove({ method: 'POST', url })
  t.equal((await call('/users/me/password', { ...init, dpop })).status, 204)
  t.equal((await call('/users/me/password', { ...init, dpop })).status, 401, 'but one only')
})

test('an administrator may bind its token, too', async (t) => {
  const app = await startApp(t)
  const prover = await makeProver()
  const form = {
    grant_type: 'client_credentials',
    client_id: ADMIN.id,
    client_secret: ADMIN.secret,
  }
  const token = (await requestTokens(app, form, prover.prove())).body.access_token
  const url = `${ISSUER}/admin/users`
  const dpop = prover.prove({ method: 'GET', url, token })
  const headers = { authorization: `DPoP ${token}`, dpop }
  t.equal((await app.fetch('/admin/users?limit=1', { headers })).status, 200)
  const bearer = { authorization: `Bearer ${token}` }
  t.equal((await app.fetch('/admin/users', { headers: bearer })).status, 401)
})

test('with nonces everywhere an account asks for one (RFC 9449 §9)', async (t) => {
  const first = await startApp(t)
  const { call, prove, app, bound } = await openScene(t, { beside: first })
  const strict = await startApp(t, { beside: app, config: { dpopNonce: 'all' } })
  const ask = async (dpop: string) =>
    await strict.fetch('/users/me', { headers: { authorization: `DPoP ${bound}`, dpop } })
  t.equal((await call('/users/me', { dpop: prove() })).status, 200)
  const asked = await ask(prove())
  t.equal(asked.status, 401)
  t.match(asked.headers.get('www-authenticate'), /^DPoP error="use_dpop_nonce", algs=/)
  const nonce = asked.headers.get('dpop-nonce') ?? ''
  t.equal((await ask(prove({ claims: { nonce } }))).status, 200)
})

test('a gateway that is trusted tells what a proof is for', async (t) => {
  const { app, call, prove } = await openScene(t, { config: { trustProxy: ['127.0.0.0/8'] } })
  const url = 'https://api.example.test/notes/1'
  const told = {
    'x-forwarded-method': 'PUT',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'api.example.test',
    'x-forwarded-uri': '/notes/1?page=2',
  }
  const good = () => prove({ method: 'PUT', url })
  const first = good()
  t.equal((await call('/verify', { dpop: first, headers: told })).status, 200)
  t.equal((await call('/verify', { dpop: first, headers: told })).status, 401, 'once')
  for (const name of ['x-forwarded-method', 'x-forwarded-proto', 'x-forwarded-host']) {
    const { [name as keyof typeof told]: _, ...rest } = told
    t.equal((await call('/verify', { dpop: good(), headers: rest })).code, 'invalid_dpop_proof')
  }
  const other = { ...told, 'x-forwarded-uri': '/notes/2' }
  t.equal((await call('/verify', { dpop: good(), headers: other })).status, 401)
  t.equal((await call('/verify', { dpop: good() })).status, 401)
  t.equal((await call('/verify', { scheme: 'Bearer', headers: told })).code, 'invalid_token')
  t.strictSame(refusalsOf(app), [
    'dpop_replayed',
    ...Array(3).fill('proof_target_untold'),
    'dpop_url_wrong',
    'dpop_method_wrong',
    'token_unproven',
  ])
  const itself = prove({ url: `${ISSUER}/verify` })
  t.equal((await call('/verify?audience=x', { dpop: itself })).status, 401, 'the demand')
  t.equal((await call('/verify', { dpop: prove({ url: `${ISSUER}/verify` }) })).status, 200)
})

test('below /verify/ the path is what the gateway has appended, and host and method are its own', async (t) => {
  const { app, call, prove } = await openScene(t, { config: { trustProxy: ['127.0.0.0/8'] } })
  const { host } = new URL(app.url)
  const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-uri': '/elsewhere' }
  const url = `https://${host}/notes/%7Eada`
  for (const method of ['GET', 'DELETE']) {
    const dpop = prove({ method, url })
    t.equal((await call('/verify/notes/~ada?x=1', { method, dpop, headers })).status, 200, method)
  }
  const bad = { dpop: prove({ url: `https://${host}/elsewhere` }), headers }
  t.equal((await call('/verify/notes/1', bad)).status, 401)
  t.equal((await call('/verify/notes/1', { dpop: prove({ url }) })).status, 401)
  t.strictSame(refusalsOf(app), ['dpop_url_wrong', 'proof_target_untold'])
})

test('what a stranger says of a request is not believed', async (t) => {
  const { app, call, prove } = await openScene(t)
  const url = 'https://api.example.test/notes/1'
  const headers = {
    'x-forwarded-method': 'GET',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'api.example.test',
    'x-forwarded-uri': '/notes/1',
  }
  t.equal((await call('/verify', { dpop: prove({ url }), headers })).status, 401)
  t.equal((await call('/verify/notes/1', { dpop: prove({ url }), headers })).status, 401)
  t.strictSame(refusalsOf(app), ['proof_target_untold', 'proof_target_untold'])
})
