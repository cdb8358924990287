// When RabbitMQ loads the JWKS, what it does with keys that have left it, and when it gets none.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { SigningAlg } from '../../../src/keys/signing-algorithms.ts'
import { makeStrangersToken } from '../../scenes/bad-tokens.ts'
import { countJwksRequests, startScene } from '../../scenes/integration-scene.ts'
import { startSteppedDate } from '../../support/stepped-date.ts'
import { readClaims, readHeader } from '../gateways/tokens.ts'
import {
  ADMINISTRATOR,
  ask,
  type Broker,
  issue,
  makeBrokerClient,
  REFUSED,
} from './rabbitmq-broker.ts'

const ROTATIONS = 2
const STEP_SECONDS = 60
/** Until the new key signs and the old one has left the JWKS, by the defaults. */
const ROTATION_SECONDS = 300 + 60 + 600 + 60 + STEP_SECONDS

/** When it loads them, and what passes meanwhile. */
export async function checkKeys(t: Test, broker: Broker, old: string): Promise<void> {
  const { scene, node, client } = broker
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
}

/** Two as a schedule makes them. Lineage's clock is stepped; RabbitMQ's compares `exp` alone. */
export async function checkRotations(t: Test, { scene, node, client }: Broker): Promise<void> {
  const date = startSteppedDate(t)
  const issued = [await issue(scene, client, ADMINISTRATOR)]
  const statuses = new Set<number>()
  const fetchesBefore = countJwksRequests(scene)
  for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
    t.equal((await scene.admin('POST', '/admin/keys/rotate', {})).status, 201)
    for (let second = 0; second < ROTATION_SECONDS; second += STEP_SECONDS) {
      date.step(STEP_SECONDS)
      issued.push(await issue(scene, client, ADMINISTRATOR))
      const alive = issued.filter((token) => Date.now() < readClaims(token).exp * 1_000)
      for (const token of alive) statuses.add((await ask(node, token)).status)
    }
  }
  t.strictSame([...statuses], [200])
  const kids = new Set(issued.map((token) => readHeader(token).kid))
  t.equal(kids.size, ROTATIONS + 1)
  t.equal(countJwksRequests(scene) - fetchesBefore, ROTATIONS, 'one request for each new key')
}

/** What stands between them may say anything when Lineage is away. */
export async function checkOutages(t: Test, broker: Broker): Promise<void> {
  const { scene, node, client, front } = broker
  const good = await issue(scene, client, ADMINISTRATOR)
  const stranger = makeStrangersToken(good, 'somebody')
  const isTaken = async () => (await ask(node, good)).status === 200
  t.ok(await isTaken())

  front.forwardTo('http://127.0.0.1:1')
  t.ok(await isTaken(), 'nobody needs Lineage')
  t.match(await ask(node, stranger), REFUSED)
  t.ok(await isTaken(), 'the keys are still there when there was no answer')

  front.forwardTo(await startUnavailable(t, '<h1>Service Unavailable</h1>'))
  t.match(await ask(node, stranger), REFUSED)
  t.ok(await isTaken(), 'and when it was no JSON')

  front.forwardTo(await startUnavailable(t, '{"error":"unavailable"}'))
  t.ok(await isTaken())
  t.match(await ask(node, stranger), REFUSED)
  t.notOk(await isTaken(), 'they are gone with an error in JSON')
  front.forwardTo(scene.url)
  t.ok(await isTaken(), 'until Lineage is back')
}

async function startUnavailable(t: Test, body: string): Promise<string> {
  const server = createServer((_request, answer) => answer.writeHead(503).end(body))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Those of Lineage's algorithms whose tokens it takes. */
export async function listAlgorithms(
  t: Test,
  { node, front }: Broker,
): Promise<readonly SigningAlg[]> {
  const taken: SigningAlg[] = []
  for (const signingAlg of ['ES256', 'EdDSA', 'RS256', 'PS256'] as const) {
    const scene = await startScene(t, { issuer: front.url, config: { signingAlgs: [signingAlg] } })
    front.forwardTo(scene.url)
    const token = await issue(scene, await makeBrokerClient(scene), ADMINISTRATOR)
    if ((await ask(node, token)).status === 200) taken.push(signingAlg)
  }
  return taken
}
