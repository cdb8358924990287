// LINEAGE_WORKERS: what the processes of an instance share, and what only one of them does
// (docs/semantics.md §20).

import { type Test, test } from 'tap'
import { checkKeys, TWO_ALGORITHMS } from '../scenes/workers-keys-scene.ts'
import { startWorkers, type Workers } from '../scenes/workers-scene.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { refresh, serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis, startRedisCluster } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const PARALLEL = 64

async function start(t: Test, redisUrl: string) {
  const databaseUrl = (await openTestDatabase(t)).url
  const env = { ...serverEnvironment(databaseUrl, redisUrl), ...TWO_ALGORITHMS }
  return { databaseUrl, workers: await startWorkers(t, env) }
}

/** Refreshes of one token on many connections at once have one successor, which is no theft. */
async function raceRefreshes(t: Test, { service, answerers }: Workers): Promise<void> {
  const client = await service.makeClient({})
  const user = await service.makeUser()
  t.equal((await answerers(10)).size, 2, 'both serve')
  const { refresh_token: token } = await until('a login at either', () =>
    logIn(service, client, user).catch(() => false as const),
  )
  const before = service.log('request.completed').length
  const race = () =>
    Promise.all(Array.from({ length: PARALLEL }, () => refresh(service, client, token)))
  const answers = await until('a race that both know the client in', async () => {
    const all = await race()
    return all.every(({ status }) => status === 200) && all
  })
  const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as TokenAnswer[]
  const successors = new Set(bodies.map((body) => body.refresh_token))
  t.equal(successors.size, 1)
  const [successor = ''] = successors
  t.equal((await refresh(service, client, successor)).status, 200)
  const lines = await until('the log of the race', () => {
    const all = service.log('request.completed').slice(before)
    return all.length > PARALLEL && all
  })
  t.strictSame([...new Set(lines.map(({ worker }) => worker))].sort(), [1, 2], 'at both workers')
  t.equal(service.log('refresh.reuse_detected').length, 0)
}

test('two workers on one Redis', async (t) => {
  const { workers, databaseUrl } = await start(t, (await startRedis(t)).url)
  const { service } = workers
  await raceRefreshes(t, workers)
  await t.test('keys of two algorithms', (t) => checkKeys(t, workers, databaseUrl))

  await t.test('one of them delivers, whoever an event happened at', async (t) => {
    const receiver = await startReceiver(t)
    const { url } = receiver
    const webhook = { url, events: ['user.created'], allowPrivateNetwork: true }
    t.equal((await service.admin('POST', '/admin/webhooks', webhook)).status, 201)
    const ids = (messages: typeof receiver.received) =>
      messages.map(({ json }) => json.data.subject).sort()
    const made = await Promise.all(Array.from({ length: 8 }, () => service.makeUser()))
    t.strictSame(ids(await receiver.wait(8)), made.map(({ id }) => id).sort(), 'each of them once')
    // The first of all is the one that keeps house; the other one takes over.
    process.kill(workers.pidOf(1), 'SIGKILL')
    await service.logged('worker.ended')
    const { id } = await service.makeUser()
    t.ok(ids(await receiver.wait(9)).includes(id))
  })
})

test('two workers on a Redis Cluster of three', async (t) => {
  const { workers } = await start(t, (await startRedisCluster(t)).url)
  await raceRefreshes(t, workers)
})
