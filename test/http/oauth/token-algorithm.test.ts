// Which algorithm a token is signed with, over HTTP: the audience's, the client's, the default; each
// read by libraries that read no other.

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import jwt from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'
import { test } from 'tap'
import { openDatabase } from '../../../src/database/database.ts'
import { issueToken } from '../../scenes/bad-tokens.ts'
import { startApp } from '../../support/app.ts'

const OLD = 'https://old.example.test'
const NEW = 'https://new.example.test'
const PLAIN = 'https://plain.example.test'
const config = {
  signingAlgs: ['ES256', 'RS256', 'EdDSA', 'Ed25519'],
  audienceSigningAlgs: new Map([
    [OLD, 'RS256'],
    [NEW, 'EdDSA'],
  ]),
} as const
const SERVICE = { type: 'confidential', grantTypes: ['client_credentials'] } as const

const algOf = (token: string) => decodeProtectedHeader(token).alg

test('the audience decides, then the client, then the default', async (t) => {
  const app = await startApp(t, { config })
  const audiences = [PLAIN, OLD, NEW]
  const plain = await app.makeClient({ ...SERVICE, audiences })
  const chosen = await app.makeClient({ ...SERVICE, audiences, signingAlg: 'Ed25519' })
  t.equal(algOf(await issueToken(app, plain, null)), 'ES256')
  t.equal(algOf(await issueToken(app, chosen, null)), 'Ed25519')
  for (const client of [plain, chosen]) {
    t.equal(algOf(await issueToken(app, client, [OLD])), 'RS256')
    t.equal(algOf(await issueToken(app, client, [NEW])), 'EdDSA')
    t.equal(algOf(await issueToken(app, client, [NEW, PLAIN])), 'EdDSA')
    t.equal(
      algOf(await issueToken(app, client, [NEW, OLD])),
      'RS256',
      "in the order of the client's list",
    )
  }
  const jwks = (await (await app.fetch('/.well-known/jwks.json')).json()) as {
    keys: { kid: string; alg: string }[]
  }
  t.strictSame(jwks.keys.map(({ alg }) => alg).sort(), ['ES256', 'Ed25519', 'EdDSA', 'RS256'])
  const token = await issueToken(app, chosen, null)
  const { kid } = decodeProtectedHeader(token)
  t.equal(jwks.keys.find((key) => key.kid === kid)?.alg, 'Ed25519', 'the JWK says the same name')
})

test('each token is verified by who reads its algorithm alone, and by the service itself', async (t) => {
  const app = await startApp(t, { config })
  const jwksUri = `${app.url}/.well-known/jwks.json`
  const remote = createRemoteJWKSet(new URL(jwksUri))
  const keys = jwksClient({ jwksUri })
  for (const signingAlg of config.signingAlgs) {
    const client = await app.makeClient({ ...SERVICE, signingAlg })
    const token = await issueToken(app, client, null)
    const { payload } = await jwtVerify(token, remote, { algorithms: [signingAlg] })
    t.equal(payload.client_id, client.id, signingAlg)
    const answer = await app.form('/introspect', {
      token,
      client_id: client.id,
      client_secret: client.secret,
    })
    t.match(await answer.json(), { active: true, client_id: client.id })
    if (signingAlg === 'ES256' || signingAlg === 'RS256') {
      const key = (await keys.getSigningKey(decodeProtectedHeader(token).kid)).getPublicKey()
      t.match(jwt.verify(token, key, { algorithms: [signingAlg] }), { client_id: client.id })
    }
  }
})

test('a client may choose what is configured and nothing else', async (t) => {
  const app = await startApp(t, { config })
  const { id } = await app.makeClient({ ...SERVICE, signingAlg: 'RS256' })
  for (const signingAlg of ['PS256', 'none', 'HS256', 'es256', '']) {
    const answer = await app.admin('PATCH', `/admin/clients/${id}`, { signingAlg })
    t.equal(answer.status, 422, signingAlg)
    t.match(await answer.json(), { errors: [{ pointer: '/signingAlg' }] })
  }
  const answer = await app.admin('PATCH', `/admin/clients/${id}`, { signingAlg: null })
  t.match(await answer.json(), { signingAlg: null })
})

test('what is no longer configured is signed by the default, until the client is changed', async (t) => {
  const app = await startApp(t, { config })
  const client = await app.makeClient({ ...SERVICE, signingAlg: 'RS256' })
  const beside = await startApp(t, { beside: app, config: { signingAlgs: ['PS256', 'ES256'] } })
  t.equal(algOf(await issueToken(beside, client, null)), 'RS256', 'while another instance has it')
  const other = await startApp(t, { config: { signingAlgs: ['ES256'] } })
  const { clientStore } = other.service
  const created = await clientStore.create({ ...SERVICE, name: 'left over' })
  if (!created.ok) throw new Error('the client is not valid')
  const { id } = created.value.client
  const sql = "UPDATE clients SET signing_alg = 'RS256' WHERE id = $1"
  const database = openDatabase(other.databaseUrl)
  t.teardown(() => database.close())
  await database.pool.query(sql, [id])
  await other.service.clients.refresh(id)
  const token = await issueToken(other, { id, secret: created.value.clientSecret ?? '' }, null)
  t.equal(algOf(token), 'ES256')
})

test('rotation over HTTP: all of them, one of them, and nothing that is not there', async (t) => {
  const app = await startApp(t, { config: { signingAlgs: ['ES256', 'RS256'] } })
  const rotate = async (body: object) => {
    const answer = await app.admin('POST', '/admin/keys/rotate', body)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  t.match(await rotate({ alg: 'RS256' }), { status: 201, body: { alg: 'RS256', state: 'next' } })
  t.match(await rotate({ alg: 'RS256' }), { status: 200, body: { alg: 'RS256', state: 'next' } })
  t.match(await rotate({}), { status: 201, body: { alg: 'ES256', state: 'next' } })
  t.match(await rotate({}), { status: 200, body: { alg: 'ES256', state: 'next' } })
  for (const alg of ['PS256', 'HS256', '']) {
    t.match(await rotate({ alg }), { status: 422, body: { errors: [{ pointer: '/alg' }] } }, alg)
  }
  const both = await rotate({ alg: 'RS256', compromised: true })
  t.match(both, { status: 422, body: { errors: [{ pointer: '/alg' }] } })
  t.match(await rotate({ compromised: true }), {
    status: 201,
    body: { alg: 'ES256', state: 'active' },
  })
  const listed = (await (await app.admin('GET', '/admin/keys')).json()) as {
    items: { alg: string; state: string }[]
  }
  t.strictSame(listed.items.map(({ alg, state }) => `${alg} ${state}`).sort(), [
    'ES256 active',
    'RS256 active',
  ])
  const events = await app.admin('GET', '/admin/events?type=key.published')
  const { items } = (await events.json()) as { items: { detail: { alg: string } }[] }
  t.strictSame([...new Set(items.map(({ detail }) => detail.alg))].sort(), ['ES256', 'RS256'])
})
