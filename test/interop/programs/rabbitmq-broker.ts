// A RabbitMQ that takes the tokens of a Lineage, and what it is asked over its management API.

import type { Test } from 'tap'
import type { ClientInput } from '../../../src/clients/client-draft.ts'
import type { SceneClient } from '../../scenes/gateway-scene.ts'
import { type Scene, startScene } from '../../scenes/integration-scene.ts'
import { readBlocks } from '../../support/documented.ts'
import { startTlsFront, type TlsFront } from '../../support/tls-front.ts'
import { type NodeOptions, PROGRAM, type RabbitNode, startRabbit } from './rabbitmq-node.ts'
import { makeSignedCertificate } from './signed-certificate.ts'

/** The `aud` that RabbitMQ demands, with which its scopes begin. */
export const SERVER_ID = 'rabbitmq'
export const ADMINISTRATOR = `${SERVER_ID}.tag:administrator`
export const ELSEWHERE = 'https://other.example.test'

/** Its API is there only for those who have a tag. */
const MANAGEMENT = `${SERVER_ID}.tag:management`

/** However it is that a token is not good. */
export const REFUSED = { status: 401, body: { error: 'not_authorized', reason: 'Login failed' } }

type Configuration = Pick<NodeOptions, 'settings' | 'files'>

export interface BrokerChanges extends Configuration {
  /** Of the certificate in front of Lineage. */
  readonly hostName?: string
  /** For settings that depend on Lineage. */
  readonly configure?: (scene: Scene) => Promise<Configuration>
}

export interface Broker {
  readonly scene: Scene
  readonly node: RabbitNode
  /** What it is told Lineage is. */
  readonly front: TlsFront
  /** The client of the document, which may do everything. */
  readonly client: SceneClient
}

export async function startBroker(
  t: Test,
  { hostName, configure, ...own }: BrokerChanges = {},
): Promise<Broker> {
  const signed = makeSignedCertificate(t, hostName)
  const front = await startTlsFront(t, signed)
  const scene = await startScene(t, { issuer: front.url })
  front.forwardTo(scene.url)
  const at = { lineageUrl: front.url, certificate: signed.authority }
  const node = await startRabbit(t, { ...at, ...own, ...(await configure?.(scene)) })
  return { scene, node, front, client: await makeBrokerClient(scene) }
}

/** As the document has it. */
export function readClientInput(): ClientInput {
  return JSON.parse(readBlocks(PROGRAM, 'json')[0] ?? '') as ClientInput
}

export function makeBrokerClient(
  scene: Scene,
  changes: Partial<ClientInput> = {},
): Promise<SceneClient> {
  return scene.makeClient({ ...readClientInput(), ...changes })
}

/** A client's token of these scopes; of the default ones without. */
export async function issue(
  { form }: Pick<Scene, 'form'>,
  client: SceneClient,
  ...scopes: string[]
): Promise<string> {
  const answer = await form('/token', {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
    scope: scopes.length > 0 ? scopes.join(' ') : undefined,
  })
  const body = (await answer.json()) as { access_token?: string }
  if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`)
  return body.access_token
}

/** A token of these permissions, as scopes without the prefix, which also lets it speak to the API. */
export async function issueFor(scene: Scene, ...permissions: string[]): Promise<string> {
  const scopes = [MANAGEMENT, ...permissions.map((permission) => `${SERVER_ID}.${permission}`)]
  return await issue(scene, await makeBrokerClient(scene, { scopes, defaultScopes: scopes }))
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** As a program that passes a token on. */
export async function ask(
  { port }: RabbitNode,
  token: string,
  path = '/whoami',
  { method = 'GET', json }: { readonly method?: string; readonly json?: unknown } = {},
): Promise<Answer> {
  return await request(port, `Bearer ${token}`, path, { method, json })
}

/** As a person who writes the token where the password goes. */
export async function askByName(
  { port }: RabbitNode,
  name: string,
  password: string,
): Promise<Answer> {
  const credentials = Buffer.from(`${name}:${password}`).toString('base64')
  return await request(port, `Basic ${credentials}`, '/whoami')
}

async function request(
  port: number,
  authorization: string,
  path: string,
  { method = 'GET', json }: { readonly method?: string; readonly json?: unknown } = {},
): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}/api${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** What a token may do to a queue, by the permission that it takes. */
export async function listAllowed(
  node: RabbitNode,
  token: string,
  queue: string,
): Promise<readonly string[]> {
  const post = (path: string, json: unknown) => ask(node, token, path, { method: 'POST', json })
  const message = {
    properties: {},
    routing_key: queue,
    payload: 'hello',
    payload_encoding: 'string',
  }
  const peek = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' }
  const answers = {
    configure: await ask(node, token, `/queues/%2F/${queue}`, { method: 'PUT', json: {} }),
    write: await post('/exchanges/%2F/amq.default/publish', message),
    read: await post(`/queues/%2F/${queue}/get`, peek),
  }
  return Object.entries(answers)
    .filter(([, { status }]) => status < 300)
    .map(([permission]) => permission)
}
