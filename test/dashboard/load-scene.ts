// What the dashboard is shown of: two instances of Lineage, one of them with two workers, on a Redis and
// a PostgreSQL of their own, with clients, people and receivers of every kind.

import { asUser, readAuthenticator } from '../scenes/factor-scene.ts'
import { type HttpTools, logIn } from '../support/app.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { startPostgres } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import type { Scope } from '../support/scope.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

/** So many that the mistakes of the load use up nobody's budget. */
const PEOPLE = 24

export interface Client {
  readonly id: string
  readonly secret: string
}

export interface Person {
  readonly username: string
  readonly password: string
}

export interface LoadScene {
  readonly instances: readonly [LineageProcess, LineageProcess]
  readonly redis: RedisProcess
  /** An app whose tokens rotate, one that keeps them, one without a grace; and a service. */
  readonly apps: Readonly<Record<'rotating' | 'keeping' | 'graceless', Client>>
  readonly machine: Client
  readonly people: readonly Person[]
  /** Owes a code after the password. */
  readonly careful: Person
}

export async function openLoadScene(t: Scope): Promise<LoadScene> {
  const [postgres, redis] = await Promise.all([startPostgres(t), startRedis(t)])
  const env = serverEnvironment(postgres.url, redis.url)
  const first = await startLineage(t, env)
  const second = await startLineage(t, { ...env, LINEAGE_WORKERS: '2' })
  const machine = await first.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const [rotating, keeping, graceless] = [
    await first.makeClient({}),
    await first.makeClient({ refreshRotateAfterSeconds: 3600 }),
    await first.makeClient({ refreshGraceSeconds: 0 }),
  ]
  const people: Person[] = []
  for (let count = 0; count < PEOPLE; count += 1) people.push(await first.makeUser())
  await openReceivers(t, first)
  const careful = await makeCareful(first, rotating)
  const apps = { rotating, keeping, graceless }
  return { instances: [first, second], redis, apps, machine, people, careful }
}

/** One that takes every message, one that is busy, and one that wants no more of them. */
async function openReceivers(t: Scope, service: HttpTools): Promise<void> {
  for (const status of [204, 503, 410]) {
    const receiver = await startReceiver(t)
    receiver.answerWith((response) => void response.writeHead(status).end())
    const input = { url: receiver.url, events: ['login.succeeded'], allowPrivateNetwork: true }
    const answer = await service.admin('POST', '/admin/webhooks', input)
    if (answer.status !== 201) throw new Error(`no webhook: ${await answer.text()}`)
  }
}

async function makeCareful(service: HttpTools, client: Client): Promise<Person> {
  const person = await service.makeUser()
  const { access_token: token } = await logIn(service, client, person)
  const made = await asUser(service, token, 'POST', 'factors', { type: 'totp' })
  const factor = readAuthenticator((await made.json()) as { id: string; otpauthUri: string })
  const code = factor.code(Date.now())
  const answer = await asUser(service, token, 'POST', `factors/${factor.id}/activate`, { code })
  if (answer.status !== 200) throw new Error(`no second factor: ${await answer.text()}`)
  return person
}
