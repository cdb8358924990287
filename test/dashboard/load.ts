// Load of every kind, until it is ended: each step does one thing that a panel of the dashboard shows.
// Nothing is checked of the answers, because a store may be away while a step runs.

import { setTimeout as delay } from 'node:timers/promises'
import type { FamilyId } from '../../src/families/family.ts'
import { keysOf } from '../../src/families/redis/redis-keys.ts'
import type { UserId } from '../../src/users/user.ts'
import { logIn, type TokenAnswer } from '../support/app.ts'
import { refresh } from '../support/lineage-process.ts'
import type { Scope } from '../support/scope.ts'
import type { Client, LoadScene, Person } from './load-scene.ts'

/** Wrong passwords for one name, until the budget of the pair is used up. */
const GUESSES = 12
/** More than wait in the queue of the hashing lanes. */
const CROWD = 200
/** Between two steps, so that the machine has something left for what watches. */
const PAUSE_MS = 20

export interface Load {
  /** Many logins at once, as in the morning. */
  crowd(): Promise<void>
  /** Redis forgets a refresh that it had confirmed. */
  loseRefresh(): Promise<void>
  /** Resolves when the last step is done. */
  end(): Promise<void>
}

type Step = (scene: LoadScene, round: number) => Promise<unknown>

const STEPS: readonly Step[] = [
  usual,
  kept,
  refreshed,
  refreshed,
  refreshed,
  retried,
  replayed,
  wrong,
  asService,
  failedLogin,
  halfLogin,
  guessing,
  lookedAround,
  revoked,
]

/** Begins at once, and ends with its scope at the latest. */
export function startLoad(t: Scope, scene: LoadScene): Load {
  let isOver = false
  const run = async () => {
    for (let round = 0; !isOver; round += 1) {
      const step = STEPS[round % STEPS.length]
      await step?.(scene, Math.floor(round / STEPS.length)).catch(() => {})
      await delay(PAUSE_MS)
    }
  }
  const done = run()
  const end = async () => {
    isOver = true
    await done
  }
  t.teardown(end)
  return { crowd: () => crowd(scene), loseRefresh: () => loseRefresh(scene).catch(() => {}), end }
}

function at({ instances }: LoadScene, round: number) {
  return instances[round % instances.length] ?? instances[0]
}

function someone({ people }: LoadScene, round: number): Person {
  const person = people[round % people.length]
  if (!person) throw new Error('there are people')
  return person
}

function login(scene: LoadScene, round: number, client: Client): Promise<TokenAnswer> {
  return logIn(at(scene, round), client, someone(scene, round))
}

/** One login, and its refreshes at the other instance, too. */
async function usual(scene: LoadScene, round: number): Promise<void> {
  const { rotating } = scene.apps
  let { refresh_token: token } = await login(scene, round, rotating)
  for (let count = 0; count < 6; count += 1) {
    const answer = await refresh(at(scene, count), rotating, token)
    token = ((await answer.json()) as TokenAnswer).refresh_token
  }
}

async function refreshed(scene: LoadScene, round: number): Promise<void> {
  await Promise.all([usual(scene, round), usual(scene, round + 1)])
}

async function kept(scene: LoadScene, round: number): Promise<void> {
  const { refresh_token: token } = await login(scene, round, scene.apps.keeping)
  for (let count = 0; count < 3; count += 1)
    await refresh(at(scene, count), scene.apps.keeping, token)
}

async function retried(scene: LoadScene, round: number): Promise<void> {
  const { refresh_token: token } = await login(scene, round, scene.apps.rotating)
  for (const count of [0, 1]) await refresh(at(scene, count), scene.apps.rotating, token)
}

/** The last of three meets an ended session. */
async function replayed(scene: LoadScene, round: number): Promise<void> {
  if (round % 3 !== 0) return
  const { refresh_token: token } = await login(scene, round, scene.apps.graceless)
  for (const count of [0, 1, 2]) await refresh(at(scene, count), scene.apps.graceless, token)
}

/** A token that never was one, a scope that nobody granted, a grant that there is not, an unknown client. */
async function wrong(scene: LoadScene, round: number): Promise<void> {
  const service = at(scene, round)
  const { rotating } = scene.apps
  await refresh(service, rotating, 'no-token')
  const { refresh_token: token } = await login(scene, round, rotating)
  const asked = { client_id: rotating.id, grant_type: 'refresh_token', refresh_token: token }
  await service.form('/token', { ...asked, scope: 'everything' })
  await service.form('/token', { client_id: rotating.id, grant_type: 'wish' })
  await service.form('/token', { client_id: 'nobody', grant_type: 'client_credentials' })
}

async function asService(scene: LoadScene, round: number): Promise<void> {
  const service = at(scene, round)
  const { id, secret } = scene.machine
  const asked = { client_id: id, client_secret: secret }
  for (let count = 0; count < 4; count += 1) {
    const answer = await service.form('/token', { ...asked, grant_type: 'client_credentials' })
    const { access_token: token } = (await answer.json()) as TokenAnswer
    await service.form('/introspect', { ...asked, token })
    await service.fetch('/verify', { headers: { authorization: `Bearer ${token}` } })
  }
}

async function failedLogin(scene: LoadScene, round: number): Promise<void> {
  const { username } = someone(scene, round)
  await guess(scene, round, username)
}

async function guessing(scene: LoadScene, round: number): Promise<void> {
  if (round % 8 !== 1) return
  for (let count = 0; count < GUESSES; count += 1) await guess(scene, count, `ghost-${round}`)
}

function guess(scene: LoadScene, round: number, username: string): Promise<Response> {
  const { rotating } = scene.apps
  const asked = { client_id: rotating.id, grant_type: 'password', username, password: 'a guess' }
  return at(scene, round).form('/token', asked)
}

async function halfLogin(scene: LoadScene, round: number): Promise<void> {
  const { username, password } = scene.careful
  const asked = { client_id: scene.apps.rotating.id, grant_type: 'password', username, password }
  await at(scene, round).form('/token', asked)
}

async function lookedAround(scene: LoadScene, round: number): Promise<void> {
  const service = at(scene, round)
  await service.fetch('/.well-known/jwks.json')
  await service.fetch('/nowhere')
  await service.admin('GET', '/admin/users')
}

async function revoked(scene: LoadScene, round: number): Promise<void> {
  const { rotating } = scene.apps
  const { refresh_token: token } = await login(scene, round, rotating)
  await at(scene, round).form('/revoke', { client_id: rotating.id, token })
}

async function crowd(scene: LoadScene): Promise<void> {
  const logins = Array.from({ length: CROWD }, (_, count) =>
    login(scene, count, scene.apps.rotating).catch(() => {}),
  )
  await Promise.all(logins)
}

/** What a failover does: the family is what it was before its last refresh. */
async function loseRefresh(scene: LoadScene): Promise<void> {
  const { redis, apps, instances } = scene
  const answer = await login(scene, 0, apps.rotating)
  const key = familyKeyOf(answer)
  const before = `${key}-before`
  await redis.cli('COPY', key, before)
  const next = await refresh(instances[0], apps.rotating, answer.refresh_token)
  await redis.cli('COPY', before, key, 'REPLACE')
  await redis.cli('DEL', before)
  const { refresh_token: token } = (await next.json()) as TokenAnswer
  await refresh(instances[1], apps.rotating, token)
}

function familyKeyOf({ access_token: token }: TokenAnswer): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  const { sub, sid } = JSON.parse(payload) as { sub: UserId; sid: FamilyId }
  return keysOf({ userId: sub }).family(sid)
}
