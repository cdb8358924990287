// RabbitMQ, of Debian, takes Lineage's access tokens as a resource server that loads the JWKS: with
// the settings that docs/integrations.md shows, and what it does without them.

import { type Test, test } from 'tap'
import { makeBadTokens, makeStrangersToken } from '../integrations/bad-tokens.ts'
import { readTable } from '../integrations/documented.ts'
import { countJwksRequests } from '../integrations/scene.ts'
import { logIn } from '../support/app.ts'
import {
  ask,
  askByName,
  type Broker,
  ELSEWHERE,
  issue,
  issueFor,
  listAllowed,
  makeBrokerClient,
  readClientInput,
  SERVER_ID,
  startBroker,
} from './programs/rabbitmq-broker.ts'
import { PROGRAM } from './programs/rabbitmq-node.ts'

const ADMINISTRATOR = `${SERVER_ID}.tag:administrator`
const REFUSED = { status: 401, body: { error: 'not_authorized', reason: 'Login failed' } }
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
  await t.test('keys', (t) => checkKeys(t, broker, all))
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

async function checkKeys(t: Test, { scene, node, client, front }: Broker, old: string) {
  const countFetches = async (act: () => Promise<unknown>) => {
    const before = countJwksRequests(scene)
    await act()
    return countJwksRequests(scene) - before
  }
  const pass = async (token: string, why: string) =>
    t.match(await ask(node, token), { status: 200 }, why)
  t.equal(await countFetches(() => pass(old, 'as before')), 0, 'keys are kept')
  const strange = async () => {
    for (const kid of ['one', 'two', 'two']) {
      t.match(await ask(node, makeStrangersToken(old, kid)), REFUSED)
    }
  }
  t.equal(await countFetches(strange), 3, 'each token of an unknown kid is a request')

  const answer = await scene.admin('POST', '/admin/keys/rotate', { compromised: true })
  t.equal(answer.status, 201)
  const stillPasses = () => pass(old, 'by a key that has left the JWKS')
  t.equal(await countFetches(stillPasses), 0)
  const fresh = await issue(scene, client, ADMINISTRATOR)
  t.equal(await countFetches(() => pass(fresh, 'by a key that it has not seen')), 1)
  t.match(await ask(node, old), REFUSED, 'once it has seen a newer one')

  front.forwardTo('http://127.0.0.1:1')
  await pass(fresh, 'without Lineage')
  t.match(await ask(node, makeStrangersToken(fresh, 'three')), REFUSED)
  await pass(fresh, 'also after a question that nobody answered')
}
