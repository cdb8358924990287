// RabbitMQ, of Debian, takes Lineage's access tokens as a resource server that loads the JWKS: with
// the settings that docs/integrations.md shows, and what it does without them.

import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { type Test, test } from 'tap'
import { issueToken, makeBadTokens } from '../scenes/bad-tokens.ts'
import type { Scene } from '../scenes/integration-scene.ts'
import { logIn } from '../support/app.ts'
import { readTable } from '../support/documented.ts'
import {
  ADMINISTRATOR,
  ask,
  askByName,
  type Broker,
  ELSEWHERE,
  issue,
  issueFor,
  listAllowed,
  makeBrokerClient,
  REFUSED,
  readClientInput,
  SERVER_ID,
  startBroker,
} from './programs/rabbitmq-broker.ts'
import { checkBusyChannel, checkExpiry } from './programs/rabbitmq-connections.ts'
import {
  checkKeys,
  checkOutages,
  checkRotations,
  listAlgorithms,
} from './programs/rabbitmq-keys.ts'
import { PROGRAM } from './programs/rabbitmq-node.ts'

const UNTAGGED = { status: 401, body: { reason: 'Not management user' } }

test('RabbitMQ takes tokens as the document sets it up', async (t) => {
  const broker = await startBroker(t)
  const { scene, node, client } = broker
  const all = await issue(scene, client, ...(readClientInput().scopes ?? []))
  await t.test('who it is', async (t) => {
    const whoami = { status: 200, body: { name: client.id, tags: ['administrator'] } }
    t.strictSame(await ask(node, all), whoami)
    t.strictSame(await askByName(node, 'anybody', all), whoami, 'whatever name is given')
    t.match(await ask(node, await issue(scene, client)), UNTAGGED)
    t.match(await askByName(node, 'guest', 'guest'), REFUSED, 'no users of its own')
    const overview = (await ask(node, all, '/overview')).body as { rabbitmq_version: string }
    t.equal(readTable('Programs').get(PROGRAM)?.Version, overview.rabbitmq_version)
  })
  await t.test('what its scopes allow', (t) => checkScopes(t, broker, all))
  await t.test('a user is the client, and passes until exp', async (t) => {
    const app = await makeBrokerClient(scene, { grantTypes: ['password', 'refresh_token'] })
    const tokens = await logIn(scene, app, await scene.makeUser(), { scope: ADMINISTRATOR })
    const whoami = { status: 200, body: { name: app.id } }
    t.match(await ask(node, tokens.access_token), whoami)
    const secrets = { client_id: app.id, client_secret: app.secret }
    const answer = await scene.form('/revoke', { token: tokens.refresh_token, ...secrets })
    t.equal(answer.status, 200)
    t.match(await ask(node, tokens.access_token), whoami, 'revoked')
  })
  await t.test('whatever else comes is refused', (t) => checkBad(t, broker, all))
  await t.test('when it loads the JWKS', (t) => checkKeys(t, broker, all))
  await t.test('two rotations, and no token is refused', (t) => checkRotations(t, broker))
  await t.test('Lineage away', (t) => checkOutages(t, broker))
  await t.test('no token is in its log', async (t) => {
    t.match(node.log(), /HTTP access denied/)
    t.notOk(node.log().includes(all.split('.')[1] ?? ''))
  })
})

/** RabbitMQ's own names of the permissions; publishing is writing to an exchange. */
async function checkScopes(t: Test, { scene, node }: Broker, all: string): Promise<void> {
  t.strictSame(await listAllowed(node, all, 'orders'), ['configure', 'write', 'read'])
  const allowed = {
    'configure:*/*': ['configure'],
    'write:*/*': ['write'],
    'read:*/*': ['read'],
    'configure:%2F/ord*': ['configure'],
    'write:%2F/amq.default': ['write'],
    'write:%2F/orders': [],
    'read:%2F/orders': ['read'],
    'read:%2F/bills': [],
    'read:elsewhere/*': [],
  }
  for (const [permission, expected] of Object.entries(allowed)) {
    const token = await issueFor(scene, permission)
    t.strictSame(await listAllowed(node, token, 'orders'), expected, permission)
  }
  const scopes = [ADMINISTRATOR, 'other.configure:*/*', 'configure:*/*']
  const others = await makeBrokerClient(scene, { scopes, defaultScopes: scopes })
  t.strictSame(await listAllowed(node, await issue(scene, others), 'orders'), [])
}

async function checkBad(t: Test, { scene, node }: Broker, good: string): Promise<void> {
  const scopes = [ADMINISTRATOR]
  const input = { audiences: [SERVER_ID, ELSEWHERE], scopes, defaultScopes: scopes }
  const target = { input, resource: null, otherResource: ELSEWHERE }
  const { 'from another issuer': foreign, ...bad } = await makeBadTokens(t, scene, good, target)
  const scopeless = await makeBrokerClient(scene, { defaultScopes: [] })
  const refused = {
    ...bad,
    scopeless: await issue(scene, scopeless),
    garbage: 'garbage',
    'three dots': '...',
  }
  for (const [name, token] of Object.entries(refused)) {
    t.match(await ask(node, token), REFUSED, name)
    t.match(await askByName(node, 'anybody', token), REFUSED, name)
  }
  t.match(await ask(node, foreign), { status: 200 }, 'it does not look at iss')
  t.match(await ask(node, good), { status: 200 })
}

test('RabbitMQ and connections that outlive their token', async (t) => {
  const broker = await startBroker(t)
  // It takes a minute, in which the other one has the time that it needs.
  const busy = t.test('a busy channel', (t) => checkBusyChannel(t, broker))
  await checkExpiry(t, broker)
  await busy
})

test('RabbitMQ and algorithms', async (t) => {
  const line = 'auth_oauth2.algorithms'
  const all = { 1: 'ES256', 2: 'EdDSA', 3: 'RS256', 4: 'PS256' }
  await t.test('those that are named', async (t) => {
    t.strictSame(await listAlgorithms(t, await startBroker(t)), ['ES256'])
  })
  await t.test('all of them', async (t) => {
    const settings = Object.entries(all).map(([at, name]) => [`${line}.${at}`, name])
    const broker = await startBroker(t, { settings: Object.fromEntries(settings) })
    t.strictSame(await listAlgorithms(t, broker), Object.values(all))
  })
  await t.test('whatever the token says, without the line', async (t) => {
    const broker = await startBroker(t, { settings: { [`${line}.1`]: undefined } })
    const { scene, client } = broker
    await checkBad(t, broker, await issue(scene, client, ADMINISTRATOR))
    t.strictSame(await listAlgorithms(t, broker), Object.values(all))
  })
})

test('RabbitMQ and whom it takes keys from', async (t) => {
  const https = 'auth_oauth2.https'
  const [peer, name, cacertfile] = ['peer_verification', 'hostname_verification', 'cacertfile']
  const hostName = 'other.example.test'
  const statusOf = async ({ scene, node, client }: Broker) =>
    (await ask(node, await issue(scene, client, ADMINISTRATOR))).status
  await t.test('nobody with another name', async (t) => {
    t.equal(await statusOf(await startBroker(t, { hostName })), 401)
  })
  await t.test('nobody by http', async (t) => {
    const settings = { 'auth_oauth2.jwks_url': 'http://127.0.0.1:1/jwks.json' }
    await t.rejects(startBroker(t, { settings }), /Key Server URL must be https/)
  })
  await t.test('whoever answers, unless it is told', async (t) => {
    const lines = [peer, name, cacertfile].map((line) => [`${https}.${line}`, undefined])
    const broker = await startBroker(t, { hostName, settings: Object.fromEntries(lines) })
    t.equal(await statusOf(broker), 200)
  })
})

/** The key that signs now, as `lineage keys export --pem` gives it. */
async function configureFile(scene: Scene) {
  const answer = await scene.fetch('/.well-known/jwks.json')
  const { keys } = (await answer.json()) as { keys: (JsonWebKey & { kid: string })[] }
  const [key] = keys
  if (!key) throw new Error('no key in the JWKS')
  const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const settings = {
    'auth_oauth2.jwks_url': undefined,
    [`auth_oauth2.signing_keys.${key.kid}`]: 'DIR/lineage.pem',
  }
  return { settings, files: { 'lineage.pem': String(pem) } }
}

test('RabbitMQ and a file in place of the JWKS', async (t) => {
  const { scene, node, client } = await startBroker(t, { configure: configureFile })
  t.match(await ask(node, await issue(scene, client, ADMINISTRATOR)), { status: 200 })
  await scene.admin('POST', '/admin/keys/rotate', { compromised: true })
  t.match(await ask(node, await issue(scene, client, ADMINISTRATOR)), REFUSED, 'of a new key')
})

test('RabbitMQ and a URI as its id, with users of its own beside', async (t) => {
  const id = 'https://rabbitmq.example.test'
  const { scene, node } = await startBroker(t, {
    settings: {
      'auth_oauth2.resource_server_id': id,
      'auth_backends.2': 'rabbit_auth_backend_internal',
    },
  })
  const scopes = [`${id}.tag:administrator`, `${id}.read:*/*`]
  const audiences = [id, ELSEWHERE]
  const client = await makeBrokerClient(scene, { scopes, defaultScopes: scopes, audiences })
  const whoami = { status: 200, body: { name: client.id, tags: ['administrator'] } }
  for (const resource of [id, null]) {
    t.strictSame(await ask(node, await issueToken(scene, client, resource)), whoami)
  }
  t.match(await ask(node, await issueToken(scene, client, ELSEWHERE)), REFUSED)
  t.match(await askByName(node, 'guest', 'guest'), { status: 200, body: { name: 'guest' } })
})
