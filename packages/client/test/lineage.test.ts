// The token source beside a real Lineage, whose tokens the verifier takes: each way to authenticate, found
// by the metadata, and tokens that are bound to a key.

import { test } from 'tap'
import { startIssuer } from '../../../test/examples/example-process.ts'
import { logIn } from '../../../test/support/app.ts'
import { createVerifier } from '../../verify/src/verifier.ts'
import { generateDpopKey } from '../src/dpop-prover.ts'
import { createTokenClient } from '../src/token-client.ts'
import { createTokenSource } from '../src/token-source.ts'

const AUDIENCE = 'https://notes.example.test'
const AT_ONCE = 10

test('a client of each kind gets tokens that an API takes', async (t) => {
  const { service, issuer } = await startIssuer(t)
  const verifier = createVerifier({ issuer, audience: AUDIENCE })
  const request = { method: 'GET', url: 'https://notes.example.test/', certificate: undefined }
  const scopes = ['notes:read', 'notes:write']
  const own = { type: 'confidential', grantTypes: ['client_credentials'] } as const
  const makeClient = (input: object) =>
    service.makeClient({ scopes, audiences: [AUDIENCE], ...input })

  await t.test('by its secret, in either place', async (t) => {
    const { id: clientId, secret } = await makeClient(own)
    for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
      const source = createTokenSource({
        issuer,
        clientId,
        auth: { method, secret },
        scope: scopes[0],
      })
      const { accessToken, tokenType } = await source.getToken()
      const authorization = `${tokenType} ${accessToken}`
      const presented = { ...request, authorization, dpop: undefined }
      const needed = { scope: 'notes:read' }
      t.match(await verifier.authorize(presented, needed), { ok: true, claims: { sub: clientId } })
      const other = createTokenClient({ issuer, clientId, auth: { method, secret: `${secret}x` } })
      const refused = { name: 'OAuthResponseError', error: 'invalid_client', status: 401 }
      await t.rejects(other.clientCredentials(), refused)
    }
  })

  await t.test('by a key of its own', async (t) => {
    const key = await generateDpopKey()
    const jwk = { ...key, kid: 'key-1' }
    const { d: _, ...publicJwk } = jwk
    const { id: clientId } = await makeClient({
      ...own,
      authMethods: ['private_key_jwt'],
      assertionAlgs: ['ES256'],
      jwks: { keys: [publicJwk] },
    })
    const auth = { method: 'private_key_jwt', key: jwk } as const
    const client = createTokenClient({ issuer, clientId, auth, dpop: true })
    const tokens = await Promise.all([client.clientCredentials(), client.clientCredentials()])
    t.equal(new Set(tokens.map(({ accessToken }) => accessToken)).size, 2)
    const other = { ...auth, key: { ...(await generateDpopKey()), kid: 'key-1' } }
    const thief = createTokenClient({ issuer, clientId, auth: other })
    await t.rejects(thief.clientCredentials(), {
      name: 'OAuthResponseError',
      error: 'invalid_client',
    })
  })

  await t.test('bound to a key, with the nonces that it asks for', async (t) => {
    const { id: clientId, secret } = await makeClient({ ...own, dpopBoundAccessTokens: true })
    const auth = { method: 'client_secret_basic', secret } as const
    const bearer = createTokenClient({ issuer, clientId, auth })
    await t.rejects(bearer.clientCredentials(), { name: 'OAuthResponseError', status: 400 })

    const source = createTokenSource({ issuer, clientId, auth, dpop: true })
    const wanted = Array.from({ length: AT_ONCE }, (_, i) => ({ scope: scopes[i % 2] }))
    const tokens = await Promise.all(wanted.map((one) => source.getToken(one)))
    for (const { tokenType } of tokens) t.equal(tokenType, 'DPoP')
    const { accessToken } = await source.getToken({ scope: 'notes:read' })
    const authorization = `DPoP ${accessToken}`
    const target = { method: 'GET', url: request.url, accessToken }
    const dpop = await source.client.prover?.prove(target)
    t.match(await verifier.authorize({ ...request, authorization, dpop }), { ok: true })
    t.match(await verifier.authorize({ ...request, authorization, dpop }), {
      refusal: { reason: 'proof_replayed' },
    })
  })

  await t.test('a login that is bound to a key goes on with it alone', async (t) => {
    const client = await makeClient({ type: 'public', audiences: [AUDIENCE, issuer] })
    const user = await service.makeUser()
    const key = await generateDpopKey()
    const options = {
      issuer,
      clientId: client.id,
      auth: { method: 'none' },
      dpop: { key },
    } as const
    const { prover } = createTokenClient(options)
    const url = `${issuer}/token`
    const asked = await fetch(url, {
      method: 'POST',
      headers: { dpop: (await prover?.prove({ method: 'POST', url })) ?? '' },
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: client.id,
        username: user.username,
        password: user.password,
      }),
    })
    prover?.learn(url, asked.headers)
    await asked.body?.cancel()
    const proof = await prover?.prove({ method: 'POST', url })
    const login = await service.form(
      '/token',
      {
        grant_type: 'password',
        client_id: client.id,
        username: user.username,
        password: user.password,
      },
      { dpop: proof ?? '' },
    )
    t.equal(login.status, 200)
    const { refresh_token: refreshToken } = (await login.json()) as { refresh_token: string }

    let kept = { refreshToken }
    const credentials = {
      load: async () => kept,
      save: async (next: typeof kept) => {
        kept = next
      },
    }
    const grant = { type: 'refresh_token', credentials } as const
    const thief = createTokenClient({
      issuer,
      clientId: client.id,
      auth: { method: 'none' },
      dpop: true,
    })
    await t.rejects(thief.refresh(refreshToken), {
      name: 'OAuthResponseError',
      error: 'invalid_grant',
    })
    const source = createTokenSource({ ...options, grant, resource: issuer })
    const me = await source.fetch(`${issuer}/users/me`)
    t.equal(me.status, 200)
    t.match(await me.json(), { username: user.username })
    t.not(kept.refreshToken, refreshToken)
  })

  await t.test("a user's token is exchanged for one for another API (RFC 8693)", async (t) => {
    const web = await makeClient({ type: 'public', defaultScopes: scopes })
    const user = await service.makeUser()
    const { access_token: subjectToken } = await logIn(service, web, user)
    const { id: clientId, secret } = await makeClient({
      type: 'confidential',
      grantTypes: ['urn:ietf:params:oauth:grant-type:token-exchange'],
      exchange: [{ audience: AUDIENCE, scopes, subjectClients: [web.id], mode: 'impersonation' }],
    })
    const source = createTokenSource({
      issuer,
      clientId,
      auth: { method: 'client_secret_basic', secret },
      scope: 'notes:read',
      grant: { type: 'token_exchange', exchange: { subjectToken, audience: AUDIENCE } },
    })
    const token = await source.getToken()
    t.equal(token.issuedTokenType, 'urn:ietf:params:oauth:token-type:access_token')
    const claims = await verifier.verifyToken(token.accessToken)
    t.match(claims, { sub: user.id, client_id: clientId, scope: 'notes:read' })
    t.equal((await source.getToken()).accessToken, token.accessToken, 'and kept')
  })

  await t.test('a login without a key, by a public client', async (t) => {
    const client = await makeClient({ type: 'public' })
    const { refresh_token: refreshToken } = await logIn(service, client, await service.makeUser())
    const auth = { method: 'none' } as const
    const token = await createTokenClient({ issuer, clientId: client.id, auth }).refresh(
      refreshToken,
    )
    t.match(token, { tokenType: 'Bearer' })
    t.ok(token.refreshToken && token.refreshToken !== refreshToken)
  })
})
