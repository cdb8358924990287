// The keys of a client as an administrator states them, and what becomes of its secrets.

import { test } from 'tap'
import { makeKeyPairSync } from '../../../src/runtime/key-pair.ts'
import { newKey } from '../../scenes/assertion-scene.ts'
import { startApp } from '../../support/app.ts'

const KEY = newKey('a')
const BASE = {
  name: 'Worker',
  type: 'confidential',
  grantTypes: ['client_credentials'],
  authMethods: ['private_key_jwt'],
}

test('keys that are private, weak, many or nowhere are refused, and never said back', async (t) => {
  const app = await startApp(t)
  const weak = makeKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    format: 'jwk',
  })
  const secret = KEY.privateKey.export({ format: 'jwk' })
  const jwks = { keys: [KEY.publicJwk] }
  const uri = 'https://keys.example/jwks'
  const cases: [string, object, string][] = [
    ['no key', {}, '/authMethods'],
    ['a private key', { jwks: { keys: [KEY.publicJwk, secret] } }, '/jwks/keys/1'],
    [
      'a shared secret',
      { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0LXZhbHVl' }] } },
      '/jwks/keys/0',
    ],
    ['a weak key', { jwks: { keys: [weak] } }, '/jwks/keys/0'],
    ['no list', { jwks: { keys: {} } }, '/jwks'],
    ['another member', { jwks: { ...jwks, keysUrl: uri } }, '/jwks'],
    ['an empty list', { jwks: { keys: [] } }, '/jwks/keys'],
    ['21 keys', { jwks: { keys: Array(21).fill(KEY.publicJwk) } }, '/jwks/keys'],
    ['a text', { jwks: { keys: ['key'] } }, '/jwks/keys/0'],
    [
      'a very long key',
      { jwks: { keys: [{ ...KEY.publicJwk, x5c: ['a'.repeat(40_000)] }] } },
      '/jwks',
    ],
    ['both places', { jwks, jwksUri: uri }, '/jwksUri'],
    ['plain http', { jwksUri: 'http://keys.example/jwks' }, '/jwksUri'],
    [
      'plain http with leave',
      { jwksUri: 'http://10.0.0.1/', allowPrivateNetwork: true },
      '/jwksUri',
    ],
    ['a private address', { jwksUri: 'https://10.0.0.1/jwks' }, '/jwksUri'],
    ['credentials', { jwksUri: 'https://a:secret-value@keys.example/' }, '/jwksUri'],
    ['HMAC', { jwks, assertionAlgs: ['ES256', 'HS256'] }, '/assertionAlgs/1'],
    ['none', { jwks, assertionAlgs: ['none'] }, '/assertionAlgs/0'],
    ['twice', { jwks, assertionAlgs: ['ES256', 'ES256'] }, '/assertionAlgs/1'],
    ['a public client', { jwks, type: 'public' }, '/authMethods'],
  ]
  for (const [what, input, pointer] of cases) {
    const answer = await app.admin('POST', '/admin/clients', { ...BASE, ...input })
    const text = await answer.text()
    t.equal(answer.status, 422, `${what}: ${text}`)
    const { errors } = JSON.parse(text) as { errors: { pointer: string }[] }
    t.ok(
      errors.some((error) => error.pointer === pointer),
      `${what}: ${text}`,
    )
    for (const hidden of [secret.d ?? '', 'c2VjcmV0LXZhbHVl', 'secret-value']) {
      t.notOk(text.includes(hidden), `${what} is not said back`)
    }
    t.notOk(JSON.stringify(app.log).includes(secret.d ?? ''), 'nor logged')
  }
  for (const input of [
    { jwks },
    { jwksUri: uri },
    { jwksUri: 'https://10.0.0.1/jwks', allowPrivateNetwork: true },
    { jwksUri: 'http://localhost:8080/jwks', allowPrivateNetwork: true },
    { jwks, assertionAlgs: ['ES256', 'Ed25519'] },
  ]) {
    const answer = await app.admin('POST', '/admin/clients', { ...BASE, ...input })
    t.equal(answer.status, 201, JSON.stringify(input))
  }
})

test('a client with keys alone has no secret, may add one and may lose the last', async (t) => {
  const app = await startApp(t)
  const jwks = { keys: [KEY.publicJwk] }
  const { id, secret } = await app.makeClient({ ...BASE, jwks, type: 'confidential' })
  t.equal(secret, '')
  const path = `/admin/clients/${id}`
  const withSecret = { authMethods: ['private_key_jwt', 'client_secret_basic'] }
  const early = await app.admin('PATCH', path, withSecret)
  t.equal(early.status, 422, 'a method with a secret needs one')
  const added = await app.admin('POST', `${path}/secrets`)
  t.equal(added.status, 201)
  const first = (await added.json()) as { id: string }
  t.equal((await app.admin('PATCH', path, withSecret)).status, 200)
  const last = await app.admin('DELETE', `${path}/secrets/${first.id}`)
  t.equal(last.status, 409, 'the last one of a client that uses one')
  t.equal((await app.admin('PATCH', path, { authMethods: ['private_key_jwt'] })).status, 200)
  t.equal((await app.admin('DELETE', `${path}/secrets/${first.id}`)).status, 204)
  const none = await app.admin('PATCH', path, { jwks: null })
  t.equal(none.status, 422, 'the method needs its keys')
})
