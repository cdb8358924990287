// What is bound to the key of a proof: access tokens, and the refresh tokens of public clients, from which
// nobody gets down to a bearer token (RFC 9449 §5, C101, C104).

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { startBrowserClient } from '../../scenes/dpop-browser.ts'
import { makeProver, type Prover, refusalsOf, requestTokens } from '../../scenes/dpop-scene.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { openTestRedis } from '../../support/redis.ts'

async function openScene(t: Test, app?: TestApp) {
  const started = app ?? (await startApp(t))
  const client = await started.makeClient({})
  const { username, password } = await started.makeUser()
  const login = { grant_type: 'password', client_id: client.id, username, password }
  const refresh = async (token: string, proof?: string) => {
    const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: token }
    return await requestTokens(started, form, proof)
  }
  return { app: started, client, login, refresh }
}

const jktOf = (token: string) => (decodeJwt(token).cnf as { jkt?: string } | undefined)?.jkt

test('every grant binds its token: type, claim, introspection (C101)', async (t) => {
  const { app, login, refresh } = await openScene(t)
  const prover = await makeProver()
  const logged = await requestTokens(app, login, prover.prove())
  const refreshed = await refresh(logged.body.refresh_token, prover.prove())
  const service = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const secret = { client_id: service.id, client_secret: service.secret }
  const own = await requestTokens(
    app,
    { grant_type: 'client_credentials', ...secret },
    prover.prove(),
  )
  for (const { status, body } of [logged, refreshed, own]) {
    t.equal(status, 200)
    t.equal(body.token_type, 'DPoP')
    t.strictSame(decodeJwt(body.access_token).cnf, { jkt: prover.thumbprint })
    const seen = await app.form('/introspect', { token: body.access_token, ...secret })
    const { active, cnf, token_type } = (await seen.json()) as Record<string, unknown>
    t.strictSame(
      { active, cnf, token_type },
      {
        active: true,
        cnf: { jkt: prover.thumbprint },
        token_type: 'DPoP',
      },
    )
  }
})

test('each listed algorithm binds (C104)', async (t) => {
  const { app, login } = await openScene(t)
  for (const alg of ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const) {
    const prover = await makeProver(alg)
    const { body } = await requestTokens(app, login, prover.prove())
    t.equal(jktOf(body.access_token), prover.thumbprint, alg)
  }
})

for (const store of ['PostgreSQL', 'Redis'] as const) {
  test(`with families in ${store} a public client's refresh token stays with its key`, async (t) => {
    const redis = store === 'Redis' ? parseRedisUrl((await openTestRedis(t)).url) : undefined
    const one = await startApp(t, { config: { redis } })
    const two = await startApp(t, { beside: one, config: { redis } })
    const { login, refresh, client } = await openScene(t, one)
    const [own, thief] = [await makeProver(), await makeProver()]
    const first = (await requestTokens(one, login, own.prove())).body
    const refusals = [
      await refresh(first.refresh_token),
      await refresh(first.refresh_token, thief.prove()),
    ]
    for (const { status, body } of refusals) {
      t.equal(status, 400)
      t.equal(body.error, 'invalid_grant')
      t.equal(body.error_description, 'The refresh token is invalid, expired or revoked.')
    }
    const mismatch = Array(2).fill('refresh_family_key_mismatch')
    t.strictSame(refusalsOf(one), mismatch, 'and no replay is seen in it')
    const proof = own.prove()
    const next = await refresh(first.refresh_token, proof)
    t.equal(next.status, 200, 'nothing was changed or ended')
    t.equal(jktOf(next.body.access_token), own.thumbprint)
    const form = {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: next.body.refresh_token,
    }
    const replay = await requestTokens(two, form, proof)
    t.equal(replay.body.error, 'invalid_dpop_proof', 'on another instance, too')
    t.strictSame(refusalsOf(two), ['dpop_replayed'])
    const retried = await refresh(first.refresh_token, own.prove())
    t.equal(retried.body.refresh_token, next.body.refresh_token, 'a lost answer comes again')
    const stale = await requestTokens(two, form, thief.prove())
    t.equal(stale.body.error, 'invalid_grant')
    t.equal((await requestTokens(two, form, own.prove())).status, 200)
  })
}

test('a family of a login without a proof is not bound; each token is by its own request', async (t) => {
  const { app, login, refresh } = await openScene(t)
  const [one, two] = [await makeProver(), await makeProver()]
  const first = (await requestTokens(app, login)).body
  t.equal(first.token_type, 'Bearer')
  const next = (await refresh(first.refresh_token, one.prove())).body
  t.equal(jktOf(next.access_token), one.thumbprint)
  const last = (await refresh(next.refresh_token, two.prove())).body
  t.equal(jktOf(last.access_token), two.thumbprint)
})

test('a client with dpopBoundAccessTokens gets no token without a proof (C104)', async (t) => {
  const app = await startApp(t)
  const service = await app.makeClient({
    type: 'confidential',
    grantTypes: ['password', 'refresh_token', 'client_credentials'],
    dpopBoundAccessTokens: true,
  })
  const { username, password } = await app.makeUser()
  const secret = { client_id: service.id, client_secret: service.secret }
  const prover: Prover = await makeProver()
  const login = { grant_type: 'password', username, password, ...secret }
  const { body } = await requestTokens(app, login, prover.prove())
  for (const form of [
    login,
    { grant_type: 'client_credentials', ...secret },
    { grant_type: 'refresh_token', refresh_token: body.refresh_token, ...secret },
  ]) {
    const bare = await requestTokens(app, form)
    t.equal(bare.status, 400)
    t.equal(bare.body.error, 'invalid_dpop_proof', form.grant_type)
    t.equal((await requestTokens(app, form, prover.prove())).body.token_type, 'DPoP')
  }
  t.strictSame(refusalsOf(app), Array(3).fill('dpop_missing'))
  const answer = await app.admin('POST', '/admin/clients', {
    name: 'Contradiction',
    type: 'public',
    grantTypes: ['password'],
    dpopBoundAccessTokens: true,
    tokenDelivery: 'cookie',
    accessTokenCookie: true,
    allowedOrigins: ['https://app.example.test'],
  })
  t.equal(answer.status, 422)
  t.match(await answer.json(), { errors: [{ pointer: '/accessTokenCookie' }] })
})

test('a refresh token in a cookie stays with its key as well', async (t) => {
  const { logIn, refresh } = await startBrowserClient(t)
  const [own, thief] = [await makeProver(), await makeProver()]
  const cookie = await logIn(own.prove())
  t.equal((await refresh(cookie, thief.prove())).status, 400)
  t.equal((await refresh(cookie)).status, 400)
  const answer = await refresh(cookie, own.prove())
  t.equal(answer.status, 200)
  t.match(await answer.json(), { token_type: 'DPoP' })
})

test('a text that is no refresh token uses up no proof, so a stranger fills no store', async (t) => {
  const { refresh } = await openScene(t)
  const proof = (await makeProver()).prove()
  for (const attempt of ['once', 'twice']) {
    const { body } = await refresh('lrt_garbage', proof)
    t.equal(body.error, 'invalid_grant', attempt)
  }
})
