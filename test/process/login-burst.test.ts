// A full pool is not a dead database: hundreds of logins at once, and a pool whose every connection
// waits for somebody's lock, are turned away with a reason of their own, and nothing is called down
// (docs/semantics.md §12).

import { type Test, test } from 'tap'
import { asAdmin } from '../support/admin-connection.ts'
import { logIn } from '../support/app.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const LOGINS = 400
const USERS = 10
/** Why a login may be turned away that nothing is wrong with. */
const QUEUES = ['overloaded', 'login_queue_full', 'login_queue_timeout', 'database_queue']

async function openScene(t: Test) {
  const { url } = await openTestDatabase(t)
  const service = await startLineage(t, { ...serverEnvironment(url), LOG_LEVEL: 'info' })
  const client = await service.makeClient({})
  const users = await Promise.all(Array.from({ length: USERS }, () => service.makeUser()))
  return { url, service, client, users }
}

type Scene = Awaited<ReturnType<typeof openScene>>

/** All at once; how often each status came. */
async function logInAll({ service, client, users }: Scene): Promise<ReadonlyMap<number, number>> {
  const statuses = await Promise.all(
    Array.from({ length: LOGINS }, async (_, index) => {
      const user = users[index % USERS]
      const answer = await service.form('/token', {
        grant_type: 'password',
        client_id: client.id,
        username: user?.username,
        password: user?.password,
      })
      await answer.arrayBuffer()
      return answer.status
    }),
  )
  const counts = new Map<number, number>()
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1)
  return counts
}

/** Asks for readiness until `isOver`; gives all that was answered. */
async function watchReadiness(service: LineageProcess, isOver: () => boolean) {
  const seen = new Set<string>()
  await until('the end', async () => {
    const { code, body } = await service.readiness()
    seen.add(`${code} ${body.status}`)
    return isOver()
  })
  return [...seen]
}

/** Every refusal has the reason of a queue, and no dependency was called down. */
function checkLog(t: Test, service: LineageProcess, before: number): void {
  const lines = service.log().slice(before)
  const refused = lines.filter(({ event }) => event === 'request.refused')
  const reasons = new Map<unknown, number>()
  for (const { reason } of refused) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  t.comment(`refused: ${JSON.stringify([...reasons])}`)
  t.strictSame(
    [...reasons.keys()].filter((reason) => !QUEUES.includes(String(reason))),
    [],
  )
  const alarms = ['dependency.down', 'request.failed', 'work.failed']
  t.strictSame(
    lines.filter(({ event }) => alarms.includes(String(event))),
    [],
  )
}

async function burst(t: Test, scene: Scene) {
  const { service } = scene
  const before = service.log().length
  let isOver = false
  const readiness = watchReadiness(service, () => isOver)
  const counts = await logInAll(scene)
  isOver = true
  t.comment(`statuses: ${JSON.stringify([...counts])}`)
  t.strictSame(await readiness, ['200 ok'])
  t.strictSame(
    [...counts.keys()].filter((status) => ![200, 503].includes(status)),
    [],
  )
  checkLog(t, service, before)
  return { counts }
}

test('hundreds of logins at once, cold and warm, alarm nobody', async (t) => {
  const scene = await openScene(t)
  const cold = await burst(t, scene)
  const warm = await burst(t, scene)
  const count = [cold, warm].map(({ counts }) => counts.get(200) ?? 0)
  t.ok(Math.max(...count) > 0, `some are logged in: ${count.join(', ')}`)
  const [user] = scene.users
  if (!user) throw new Error('there are users')
  t.ok(await logIn(scene.service, scene.client, user), 'and afterwards everybody who comes')
})

test('a pool that waits for a lock as a whole is full, and PostgreSQL is not down', async (t) => {
  const scene = await openScene(t)
  const { client, users, service, url } = scene
  await asAdmin(url, async (admin) => {
    await admin.query('BEGIN')
    await admin.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
    const { counts } = await burst(t, scene)
    t.strictSame([...counts], [[503, LOGINS]])
    t.match(await service.logged('database.queue'), { size: 9, turnedAway: Number, waits: Number })
    await admin.query('ROLLBACK')
  })
  const user = users[0]
  if (!user) throw new Error('there are users')
  t.ok(await logIn(service, client, user), 'and afterwards all is well')
})
