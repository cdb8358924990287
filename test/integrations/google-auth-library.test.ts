// google-auth-library: Google's own OAuth2Client, with the endpoints of Lineage in place of
// Google's. It refreshes by itself and asks again for a lost answer, but its credentials keep the
// refresh token that they were given first: the new one is in the `tokens` event alone.

import { createPublicKey } from 'node:crypto'
import { type Credentials, OAuth2Client, type OAuth2ClientOptions } from 'google-auth-library'
import { type JWK, SignJWT } from 'jose'
import { test } from 'tap'
import type { SigningAlg } from '../../src/keys/signing-algorithms.ts'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { BAD_TOKENS, type BadToken, issueToken, makeBadTokens } from '../scenes/bad-tokens.ts'
import {
  API,
  makeConfidentialClient,
  OTHER_API,
  type Scene,
  startScene,
} from '../scenes/integration-scene.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { readTable } from '../support/documented.ts'
import { startSteppedDate } from '../support/stepped-date.ts'
import {
  keepRotatedToken,
  openClient,
  optionsFor,
  readError,
  startLogin,
} from './google-oauth2-client.ts'

/** It refreshes what has less than this to live, and takes a token for as long after its end. */
const FIVE_MINUTES = 300

const INVALID_GRANT = { message: 'invalid_grant', status: 400, error: 'invalid_grant' }

test('google-auth-library: a listener for `tokens` keeps the session', async (t) => {
  const date = startSteppedDate(t)
  const login = await startLogin(t)
  const client = openClient(login)
  keepRotatedToken(client)
  for (const refreshes of [1, 2, 3]) {
    const { token } = await client.getAccessToken()
    date.step(FIVE_MINUTES - 1)
    t.equal((await client.getAccessToken()).token, token, 'while it has five minutes')
    t.equal(login.front.seen.length, refreshes)
    date.step(2)
  }
  const presented = login.front.seen.map(({ form }) => form.refresh_token)
  t.equal(new Set(presented).size, 3, 'each time the newest')
})

test('google-auth-library: without one the second refresh ends the session', async (t) => {
  const date = startSteppedDate(t)
  const login = await startLogin(t)
  const client = openClient(login)
  const events: Credentials[] = []
  client.on('tokens', (tokens) => events.push({ ...tokens }))
  await client.getAccessToken()
  t.equal(client.credentials.refresh_token, login.tokens.refresh_token, 'it keeps the old one')
  t.not(events[0]?.refresh_token, login.tokens.refresh_token, 'the event has the new one')
  date.step(FIVE_MINUTES + 1)
  t.strictSame(await readError(client.getAccessToken()), INVALID_GRANT)
  t.equal(login.front.seen.length, 2, 'and is not tried again')
  client.setCredentials({ refresh_token: events[0]?.refresh_token ?? '' })
  t.strictSame(await readError(client.getAccessToken()), INVALID_GRANT, 'the family is over')
})

test('google-auth-library: it asks again for a lost answer, and once for many', async (t) => {
  const login = await startLogin(t)
  const { front } = login
  const client = openClient(login)
  keepRotatedToken(client)
  front.loseNext()
  const answers = await Promise.all([1, 2, 3].map(() => client.getAccessToken()))
  t.equal(new Set(answers.map(({ token }) => token)).size, 1)
  const [lost, again, ...more] = front.seen
  t.strictSame(again, lost, 'the same request, by itself')
  t.strictSame(more, [])
  const other = openClient(login)
  keepRotatedToken(other)
  await other.getAccessToken()
  const { refresh_token: same } = client.credentials
  t.equal(other.credentials.refresh_token, same, 'another process, within the grace')
})

test('google-auth-library: request() refreshes once for a 401 and repeats itself', async (t) => {
  const login = await startLogin(t, { audiences: [], scopes: [], defaultScopes: [] })
  const { scene, credential, front } = login
  const client = openClient(login, { forceRefreshOnFailure: true })
  keepRotatedToken(client)
  const url = `${scene.issuer}/users/me`
  t.equal((await client.request({ url })).status, 200)
  const revoked = client.credentials.access_token ?? ''
  const about = { token: revoked, client_id: credential.id, client_secret: credential.secret }
  t.equal((await scene.form('/revoke', about)).status, 200)
  t.equal((await client.request({ url })).status, 200)
  t.equal(front.seen.length, 2)
  t.not(client.credentials.access_token, revoked)
})

test('google-auth-library: the secret is in the body, whatever is asked for', async (t) => {
  const basic = await startLogin(t, { authMethods: ['client_secret_basic', 'client_secret_post'] })
  const options = { clientAuthentication: 'ClientSecretBasic' } as OAuth2ClientOptions
  await openClient(basic, options).getAccessToken()
  const { secret } = basic.credential
  t.match(basic.front.seen, [{ authorization: undefined, form: { client_secret: secret } }])

  const { scene, front } = basic
  const credential = await scene.makeClient({})
  const tokens = await logIn(scene, credential, await scene.makeUser())
  const client = openClient({ scene, front, credential, tokens })
  keepRotatedToken(client)
  t.ok((await client.getAccessToken()).token, 'a public client is one without a secret')
  t.notOk('client_secret' in (front.seen.at(-1)?.form ?? {}))

  const stranger = openClient({ ...basic, credential: { ...basic.credential, secret: 'wrong' } })
  const refused = { message: 'invalid_client', status: 401, error: 'invalid_client' }
  t.strictSame(await readError(stranger.getAccessToken()), refused)
})

test('google-auth-library: revocation is a request of your own', async (t) => {
  const login = await startLogin(t)
  const { front, credential } = login
  const client = openClient(login)
  keepRotatedToken(client)
  await client.getAccessToken()
  const { refresh_token: token = '' } = client.credentials
  const refused = { message: 'invalid_request', status: 400, error: 'invalid_request' }
  t.strictSame(await readError(client.revokeToken(token ?? '')), refused, 'a token in the query')
  t.match(front.seen.at(-1), { path: /^\/revoke\?token=/, authorization: undefined, form: {} })
  t.strictSame(await readError(client.getTokenInfo(token ?? '')), refused, 'is no introspection')

  const data = new URLSearchParams({
    token: token ?? '',
    client_id: credential.id,
    client_secret: credential.secret,
  })
  const url = `${front.url}/revoke`
  t.equal((await client.transporter.request({ url, method: 'POST', data })).status, 200)
  t.strictSame(await readError(client.refreshAccessToken()), INVALID_GRANT)
})

/** What it says of a good token. */
const VERDICTS: Readonly<Record<SigningAlg, RegExp | 'verified'>> = {
  ES256: 'verified',
  RS256: 'verified',
  EdDSA: /^Unsupported crypto/,
  PS256: /^Invalid token signature/,
  Ed25519: /^Unsupported crypto/,
}

test('google-auth-library: verifies some algorithms, by keys that it is given', async (t) => {
  for (const signingAlg of Object.keys(VERDICTS) as SigningAlg[]) {
    const scene = await startScene(t, { config: { signingAlgs: [signingAlg] } })
    const { verify } = await openVerifier(scene)
    const token = await issueToken(scene, await makeConfidentialClient(scene))
    const verdict = VERDICTS[signingAlg]
    if (verdict === 'verified') t.match(await verify(token), { iss: scene.issuer, aud: API })
    else await t.rejects(verify(token), { message: verdict }, signingAlg)
    const byUrl = new OAuth2Client(optionsFor(scene.url)).verifyIdToken({ idToken: token })
    await t.rejects(byUrl, { message: /^No pem found/ }, 'a JWKS is not what it fetches')
  }
})

const REFUSALS: Readonly<Record<BadToken, RegExp>> = {
  expired: /^Token used too late/,
  'for another audience': /^Wrong recipient/,
  'from another issuer': /^Invalid issuer/,
  'with changed claims': /^Invalid token signature/,
  'signed by another key': /^Invalid token signature/,
  'of an unknown kid': /^No pem found/,
  'without a signature': /^Invalid token signature/,
  'with an HMAC under the public key': /^Invalid token signature/,
  'a refresh token': /^Wrong number of segments/,
}

test('google-auth-library: refuses bad tokens, and an expired one late', async (t) => {
  const scene = await startScene(t)
  const { verify } = await openVerifier(scene)
  const client = await makeConfidentialClient(scene)
  const bad = await makeBadTokens(t, scene, await issueToken(scene, client))
  for (const kind of BAD_TOKENS)
    await t.rejects(verify(bad[kind]), { message: REFUSALS[kind] }, kind)

  const date = startSteppedDate(t)
  const token = await issueToken(scene, client)
  date.step(600 + FIVE_MINUTES - 1)
  t.match(await verify(token), { aud: API }, 'five minutes after its end')
  date.step(3)
  await t.rejects(verify(token), { message: REFUSALS.expired })

  const both = await scene.fetch('/token', {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
    body: new URLSearchParams([
      ['grant_type', 'client_credentials'],
      ['resource', API],
      ['resource', OTHER_API],
    ]),
  })
  const { access_token: wide } = (await both.json()) as TokenAnswer
  await t.rejects(verify(wide), { message: REFUSALS['for another audience'] }, 'a list of them')
})

test('google-auth-library: `typ` is a check of your own (RFC 9068 §4)', async (t) => {
  const { privateKey, publicKey } = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  const pems = { 'a-kid': String(publicKey.export({ type: 'spki', format: 'pem' })) }
  const token = await new SignJWT({ iss: 'https://auth.example.test', aud: API })
    .setProtectedHeader({ alg: 'ES256', kid: 'a-kid', typ: 'no access token' })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey)
  await t.resolves(new OAuth2Client().verifySignedJwtWithCertsAsync(token, pems, API))
})

test('google-auth-library: its line in docs/integrations.md says the same', async (t) => {
  const verified = Object.entries(VERDICTS).filter(([, verdict]) => verdict === 'verified')
  const names = verified.map(([name]) => name).join(' and ')
  t.equal(readTable('Programs').get('google-auth-library')?.As, `client; verifier of ${names}`)
})

async function openVerifier(scene: Scene) {
  const { keys } = (await (await scene.fetch('/.well-known/jwks.json')).json()) as { keys: JWK[] }
  const toPem = (key: JWK) =>
    createPublicKey({ key: { ...key }, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const pems = Object.fromEntries(keys.map((key) => [key.kid ?? '', String(toPem(key))]))
  const client = new OAuth2Client()
  return {
    async verify(token: string) {
      const issuers = [scene.issuer]
      return (await client.verifySignedJwtWithCertsAsync(token, pems, API, issuers)).getPayload()
    },
  }
}
