// A new root secret rolled out over two instances, one at a time, as docs/operations.md tells it,
// while sessions refresh through both: nobody is refused, and in the end the old one is not needed.

import { setTimeout as delay } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { type Test, test } from 'tap'
import { deriveRootSecret } from '../../src/secrets/root-secret.ts'
import { answerOf, query, stopService } from '../scenes/recovery-scene.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import {
  type Environment,
  type LineageProcess,
  refresh,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { rootSecretOf, secretKeyOf } from '../support/root-secrets.ts'
import { until } from '../support/until.ts'

const SESSIONS = 4
const PAUSE_MS = 20

test('a rolled-out root secret refuses nobody', async (t) => {
  const [{ url }, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const [old, fresh] = [rootSecretOf(1), rootSecretOf(2)]
  const configured = (...secrets: Buffer[]): Environment => ({
    ...serverEnvironment(url, redis.url),
    LINEAGE_SECRET_KEY: secretKeyOf(...secrets),
  })
  const fleet = await Promise.all([1, 2].map(() => startLineage(t, configured(old))))
  const [a] = fleet
  if (!a) throw new Error('two were started')
  const client = await a.makeClient({})
  const user = await a.makeUser()
  const webhook = await a.admin('POST', '/admin/webhooks', {
    url: 'https://hooks.example.test/lineage',
    events: ['user.disabled'],
  })
  t.equal(webhook.status, 201)
  const idle = await logIn(a, client, user)
  const forgotten = await logIn(a, client, user)
  const logins = Array.from({ length: SESSIONS }, () => logIn(a, client, user))
  const traffic = startTraffic(fleet, client, await Promise.all(logins))
  t.teardown(traffic.stop)

  for (const secrets of [
    [old, fresh],
    [fresh, old],
  ]) {
    await rollOut(t, fleet, configured(...secrets))
    await traffic.passesBoth()
  }
  const ids = await query(
    url,
    `SELECT root_secret_id AS id FROM signing_keys UNION SELECT root_secret_id FROM webhooks`,
  )
  t.strictSame(ids, [{ id: deriveRootSecret(fresh).id }], 'everything is under the new secret')
  const [one, other] = fleet
  if (!one || !other) throw new Error('two are running')
  const late = await answerOf(one, client, idle.refresh_token)
  t.equal(late.said, '200', 'an old token still works')
  t.equal(secretIdOf(late.next), deriveRootSecret(fresh).id, 'and is replaced by one of the new')

  // By now every token of the traffic is of the new secret: the longest refresh life has passed.
  await rollOut(t, fleet, configured(fresh))
  await traffic.passesBoth()
  t.strictSame(await traffic.stop(), [], 'not one refusal in all that time')
  t.ok(traffic.count() > SESSIONS, `${traffic.count()} refreshes`)

  for (const service of fleet) {
    const { access_token: token } = await logIn(service, client, user)
    const { kid } = decodeProtectedHeader(token)
    t.equal(kid, decodeProtectedHeader(idle.access_token).kid, 'the signing key is still the same')
  }
  const last = async (token: string) => (await answerOf(fleet[0] ?? a, client, token)).said
  t.equal(await last(late.next), '200')
  t.equal(await last(forgotten.refresh_token), '400 invalid_grant', 'too late')
})

/** The second byte of a refresh token names the secret that minted it (docs/semantics.md §2). */
function secretIdOf(refreshToken: string): number | undefined {
  return Buffer.from(refreshToken.slice('lrt_'.length), 'base64url')[1]
}

/** One instance after the other is stopped and started anew. */
async function rollOut(t: Test, fleet: LineageProcess[], env: Environment): Promise<void> {
  for (const [index, service] of fleet.entries()) {
    await stopService(t, service)
    fleet[index] = await startLineage(t, env)
  }
}

/** Sessions that refresh without end, each at the instances by turns, as behind a load balancer. */
function startTraffic(
  fleet: readonly LineageProcess[],
  client: { readonly id: string },
  logins: readonly TokenAnswer[],
) {
  const refusals: string[] = []
  const served = new Map<LineageProcess, number>()
  let isStopping = false

  async function run(first: string, session: number): Promise<void> {
    let token = first
    for (let turn = session; !isStopping; turn += 1) {
      const service = fleet[turn % fleet.length]
      if (!service) throw new Error('the fleet is empty')
      try {
        const answer = await refresh(service, client, token)
        const body = (await answer.json()) as { error?: string; refresh_token: string }
        if (answer.status === 200) {
          token = body.refresh_token
          served.set(service, (served.get(service) ?? 0) + 1)
        } else if (answer.status !== 503) {
          refusals.push(`${answer.status} ${body.error}`)
          return
        }
      } catch {
        // It is being restarted; the other one is asked with the same token.
      }
      await delay(PAUSE_MS)
    }
  }

  const sessions = logins.map(({ refresh_token: token }, session) => run(token, session))
  return {
    /** Resolves when both instances of now have served every session a few times. */
    async passesBoth() {
      const before = new Map(served)
      const hasServed = (service: LineageProcess) =>
        (served.get(service) ?? 0) - (before.get(service) ?? 0) > 4 * SESSIONS
      await until('refreshes at both', () => refusals.length > 0 || fleet.every(hasServed))
    },
    async stop() {
      isStopping = true
      await Promise.all(sessions)
      return refusals
    },
    count: () => [...served.values()].reduce((sum, each) => sum + each, 0),
  }
}
