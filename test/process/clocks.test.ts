// Instances whose clocks are minutes and hours apart, and are set while they run: no session is
// lost, nothing works for longer, and what one instance decides holds at the others.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { type HttpTools, logIn, type TokenAnswer } from '../support/app.ts'
import {
  type LineageProcess,
  refresh,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { openWrongClock, type WrongClock } from '../support/wrong-clock.ts'

const HOUR = 3_600
const GRACE_SECONDS = 1

interface Scene {
  readonly right: LineageProcess
  readonly ahead: LineageProcess
  readonly behind: LineageProcess
  /** The clock of the one that is behind. */
  readonly clock: WrongClock
  readonly redis: RedisProcess
  readonly user: { readonly username: string; readonly password: string }
}

async function openScene(t: Test): Promise<Scene> {
  const [{ url }, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const env = serverEnvironment(url, redis.url)
  const right = await startLineage(t, env)
  const clock = openWrongClock(-HOUR)
  const [ahead, behind] = await Promise.all([
    startLineage(t, { ...env, ...openWrongClock(60).env }),
    startLineage(t, { ...env, ...clock.env }),
  ])
  return { right, ahead, behind, clock, redis, user: await right.makeUser() }
}

async function tokensOf(answer: Response): Promise<TokenAnswer> {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as TokenAnswer
}

async function isRefused(answer: Promise<Response>): Promise<boolean> {
  const body = (await (await answer).json()) as { error?: string }
  return body.error === 'invalid_grant'
}

/** A client that every instance knows. */
async function makeClient(scene: Scene, at: HttpTools, input: Record<string, unknown> = {}) {
  const client = await at.makeClient(input)
  for (const instance of [scene.right, scene.ahead, scene.behind]) {
    await until('the client', () => isKnown(instance, client))
  }
  return client
}

async function isKnown(at: HttpTools, client: { readonly id: string }): Promise<boolean> {
  const answer = await refresh(at, client, 'lrt_x')
  return ((await answer.json()) as { error: string }).error === 'invalid_grant'
}

test('three instances, one a minute ahead and one an hour behind', async (t) => {
  const scene = await openScene(t)
  const { right, ahead, behind, clock, redis, user } = scene
  const instances = [right, ahead, behind]
  const client = await makeClient(scene, right)

  await t.test(
    'a session made at any of them is served, and repeated, at all of them',
    async (t) => {
      for (const from of instances) {
        let token = (await logIn(from, client, user)).refresh_token
        for (const to of instances) {
          const [next, again] = [
            await tokensOf(await refresh(to, client, token)),
            await tokensOf(await refresh(from, client, token)),
          ]
          t.equal(again.refresh_token, next.refresh_token, 'a retry is no theft')
          const { iat = 0, exp = 0 } = decodeJwt(next.access_token)
          t.equal(exp - iat, 600)
          t.ok(Math.abs(iat - Date.now() / 1000) < 30, 'by the clock that is right')
          for (const at of instances) {
            const headers = { authorization: `Bearer ${next.access_token}` }
            t.equal((await at.fetch('/verify', { headers })).status, 200)
          }
          token = next.refresh_token
        }
      }
    },
  )

  await t.test('a client made at any of them is used at all of them', async (t) => {
    for (const from of instances) {
      const made = await makeClient(scene, from)
      for (const at of instances) {
        const { refresh_token } = await logIn(at, made, user)
        t.equal((await refresh(right, made, refresh_token)).status, 200)
      }
    }
  })

  await t.test('sessions ended at any of them are over at all, later ones live', async (t) => {
    for (const from of instances) {
      const tokens = await Promise.all(instances.map((at) => logIn(at, client, user)))
      t.equal((await from.admin('DELETE', `/admin/clients/${client.id}/sessions`)).status, 204)
      for (const at of instances) {
        for (const { refresh_token: token } of tokens) {
          await until('the end', () => isRefused(refresh(at, client, token)))
        }
      }
      for (const at of instances) {
        const { refresh_token: token } = await logIn(at, client, user)
        for (const to of instances) t.equal((await refresh(to, client, token)).status, 200)
      }
    }
  })

  await t.test('a grace ends for all of them at the same time', async (t) => {
    const strict = await makeClient(scene, right, { refreshGraceSeconds: GRACE_SECONDS })
    for (const at of [ahead, behind]) {
      const { refresh_token: old } = await logIn(right, strict, user)
      await tokensOf(await refresh(right, strict, old))
      const overAt = Date.now() + GRACE_SECONDS * 1000 + 500
      await until('the end of the grace', () => Date.now() > overAt)
      t.ok(await isRefused(refresh(at, strict, old)), 'an old token is no retry')
    }
  })

  await t.test('a clock that is set under a running instance', async (t) => {
    let { refresh_token: token } = await logIn(behind, client, user)
    for (const offset of [60, -2 * HOUR, HOUR]) {
      clock.setTo(offset)
      await until('the new time', async () => Math.abs((await offsetOf(behind)) - offset) < 30)
      const next = await tokensOf(await refresh(behind, client, token))
      const again = await tokensOf(await refresh(ahead, client, token))
      t.equal(again.refresh_token, next.refresh_token)
      token = next.refresh_token
    }
    clock.setTo(-HOUR)
    await until('the new time', async () => (await offsetOf(behind)) < 0)
    await redis.stop()
    await until('the outage', async () => (await behind.readiness()).body.status === 'degraded')
  })

  t.equal(
    instances.flatMap((at) => at.log('refresh.reuse_detected')).length,
    2,
    'none but those after the grace',
  )
})

/** How far the clock of an instance is ahead, as the header of an answer tells it. */
async function offsetOf(at: HttpTools): Promise<number> {
  const { headers } = await at.fetch('/livez')
  return (Date.parse(headers.get('date') ?? '') - Date.now()) / 1000
}
