// How each way to authenticate looks on the wire, as a server that knows the standards reads it.

import { createPrivateKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLocalJWKSet, exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { type Test, test } from 'tap'
import { makeKeyPairSync } from '../../../src/runtime/key-pair.ts'
import type { ClientAuth } from '../src/client-auth.ts'
import { makeFreshKeys } from '../src/fresh-keys.ts'
import type { PrivateKeyInput } from '../src/private-key.ts'
import { createTokenClient } from '../src/token-client.ts'
import { issueTokens, startScriptedIssuer } from './scripted-issuer.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

async function open(t: Test, auth: ClientAuth, clientId = 'client') {
  const issuer = await startScriptedIssuer(t, issueTokens())
  const { tokenEndpoint, requests } = issuer
  const client = createTokenClient({ tokenEndpoint, clientId, auth })
  return { client, issuer, requests }
}

test('id and secret are form-encoded in Basic (RFC 6749 §2.3.1)', async (t) => {
  const secret = 'a+secret with %41:colons & ümlauts'
  const { client, requests } = await open(t, { method: 'client_secret_basic', secret }, 'a:b c')
  await client.clientCredentials({ scope: 'a b', resource: ['https://a.test', 'https://b.test'] })
  const [{ headers, form } = { headers: {}, form: new URLSearchParams() }] = requests
  const pair = Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString()
  const decode = (part = '') => decodeURIComponent(part.replaceAll('+', ' '))
  t.strictSame(pair.split(':').map(decode), ['a:b c', secret])
  t.strictSame(
    [...form],
    [
      ['grant_type', 'client_credentials'],
      ['scope', 'a b'],
      ['resource', 'https://a.test'],
      ['resource', 'https://b.test'],
    ],
    'and nothing of it is in the form',
  )
})

test('a secret in a file or a function is read for every request', async (t) => {
  const file = join(t.testdir({}), 'secret')
  writeFileSync(file, 'first\n')
  const { client, requests } = await open(t, { method: 'client_secret_post', secret: { file } })
  await client.clientCredentials()
  writeFileSync(file, 'second')
  await client.clientCredentials()
  const sent = requests.map(({ form }) => [form.get('client_id'), form.get('client_secret')])
  t.strictSame(sent, [
    ['client', 'first'],
    ['client', 'second'],
  ])
  writeFileSync(file, 'x'.repeat(70_000))
  await t.rejects(client.clientCredentials(), { code: 'credentials' }, 'too large')
  writeFileSync(file, '\n')
  await t.rejects(client.clientCredentials(), { code: 'credentials' }, 'empty')
  const failing = await open(t, {
    method: 'client_secret_post',
    secret: async () => Promise.reject(new Error('the vault is sealed')),
  })
  await t.rejects(failing.client.clientCredentials(), { code: 'credentials' })
  t.strictSame([requests.length, failing.requests.length], [2, 0])
})

test('a public client says who it is and nothing more', async (t) => {
  const { client, requests } = await open(t, { method: 'none' })
  await client.refresh('refresh-1')
  t.equal(requests[0]?.headers.authorization, undefined)
  t.strictSame(Object.fromEntries(requests[0]?.form ?? []), {
    grant_type: 'refresh_token',
    refresh_token: 'refresh-1',
    client_id: 'client',
  })
})

for (const alg of ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256']) {
  test(`an assertion of ${alg}, by a key in every form (RFC 7523 §2.2)`, async (t) => {
    const pair = await makeFreshKeys(alg)
    const jwk = { ...(await exportJWK(pair.privateKey)), kid: 'key-1', alg }
    const pem = await exportPKCS8(pair.privateKey)
    const forms: PrivateKeyInput[] = [jwk, pem, createPrivateKey(pem), pair.privateKey]
    const published = { ...(await exportJWK(pair.publicKey)), kid: 'key-1' }
    const keys = createLocalJWKSet({ keys: [published] })
    const ids = new Set<unknown>()
    for (const key of forms) {
      const auth = { method: 'private_key_jwt', key: () => key, kid: 'key-1', alg } as const
      const { client, issuer, requests } = await open(t, auth)
      await client.clientCredentials()
      await client.clientCredentials()
      for (const { form } of requests) {
        t.equal(form.get('client_assertion_type'), JWT_BEARER)
        const { payload, protectedHeader } = await jwtVerify(
          form.get('client_assertion') ?? '',
          keys,
          { issuer: 'client', subject: 'client', audience: issuer.tokenEndpoint, maxTokenAge: 60 },
        )
        t.strictSame(protectedHeader, { alg, kid: 'key-1' })
        t.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 300, 'at most five minutes')
        ids.add(payload.jti)
      }
    }
    t.equal(ids.size, 2 * forms.length, 'each is another one')
  })
}

test('the audience of an assertion is the issuer where it is known', async (t) => {
  const issuer = await startScriptedIssuer(t, (request, response, number) => {
    if (request.path === '/token') return issueTokens()(request, response, number)
    response.end(JSON.stringify({ issuer: issuer.url, token_endpoint: issuer.tokenEndpoint }))
    return undefined
  })
  const { privateKey: key } = await generateKeyPair('ES256')
  const auth = { method: 'private_key_jwt', key } as const
  await createTokenClient({ issuer: issuer.url, clientId: 'c', auth }).clientCredentials()
  const [, payload = ''] = issuer.requests[1]?.form.get('client_assertion')?.split('.') ?? []
  t.equal(JSON.parse(Buffer.from(payload, 'base64url').toString()).aud, issuer.url)
})

test('a key that cannot sign is an error that does not repeat it', async (t) => {
  const { privateKey } = makeKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const broken = pem.replace(/[A-Z]/g, 'x')
  for (const auth of [
    { method: 'private_key_jwt', key: broken },
    {
      method: 'private_key_jwt',
      key: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'secret-part' },
    },
    { method: 'private_key_jwt', key: privateKey, alg: 'ES256' },
    { method: 'private_key_jwt', key: pem, alg: 'HS256' },
  ] as const) {
    const { client, requests } = await open(t, auth)
    const error = await client.clientCredentials().catch((found) => found)
    t.equal(error.code, 'credentials')
    t.notMatch(`${error.stack} ${error.cause?.stack}`, /secret-part|PRIVATE KEY-----\n/)
    t.equal(requests.length, 0)
  }
})

test("a platform's token is read again for every request (RFC 7521 §4.2)", async (t) => {
  const file = join(t.testdir({}), 'token')
  writeFileSync(file, 'a.b.c\n')
  const { client, requests } = await open(t, { method: 'federated', token: { file } })
  await client.clientCredentials()
  writeFileSync(file, 'd.e.f')
  await client.clientCredentials()
  const sent = requests.map(({ form }) => [
    form.get('client_id'),
    form.get('client_assertion_type'),
    form.get('client_assertion'),
  ])
  t.strictSame(sent, [
    ['client', JWT_BEARER, 'a.b.c'],
    ['client', JWT_BEARER, 'd.e.f'],
  ])
})

test('an assertion and a token to exchange go as their standards say', async (t) => {
  const { client, requests } = await open(t, { method: 'none' })
  let number = 0
  const assertion = () => `assertion-${++number}`
  await client.jwtBearer(assertion, { scope: 'a' })
  await client.exchange({ subjectToken: 'subject', audience: ['x', 'y'], scope: 'a' })
  await client.exchange({
    subjectToken: 'subject',
    actorToken: () => 'actor',
    requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
  })
  const access = 'urn:ietf:params:oauth:token-type:access_token'
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  t.strictSame(
    requests.map(({ form }) => [...form].filter(([name]) => name !== 'client_id')),
    [
      [
        ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
        ['assertion', 'assertion-1'],
        ['scope', 'a'],
      ],
      [
        ['grant_type', exchange],
        ['subject_token', 'subject'],
        ['subject_token_type', access],
        ['scope', 'a'],
        ['audience', 'x'],
        ['audience', 'y'],
      ],
      [
        ['grant_type', exchange],
        ['subject_token', 'subject'],
        ['subject_token_type', access],
        ['actor_token', 'actor'],
        ['actor_token_type', access],
        ['requested_token_type', access],
      ],
    ],
  )
})
