// Random histories of two users at two clients, run against a real store and the model at once:
// the same answers, and the same lists at the end. fast-check prints the seed and the shortest
// history that fails.

import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import {
  BY_ASSERTION,
  BY_PASSWORD,
  BY_PASSWORD_AND_CODE,
  type Family,
} from '../../src/families/family.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import type { UserId, UserRecord } from '../../src/users/user.ts'
import { runSize } from '../support/run-size.ts'
import {
  CLIENTS,
  describe,
  ending,
  type FamilyBench,
  keeping,
  listAll,
  newLogin,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  rotation,
  T0,
  withRoles,
} from './family-bench.ts'
import { type FamilyModel, newFamilyModel } from './family-model.ts'
import { waitUntilUp } from './family-outage.ts'
import { ABSOLUTE_MS, type Step, step } from './family-steps.ts'

const RUNS = runSize(60, 4_000)
const TIME_LIMIT_MS = runSize(12_000, 100_000)

const BINDINGS = [
  { confirmation: undefined },
  { confirmation: { jkt: 'k'.repeat(43) } },
  { confirmation: { 'x5t#S256': 'c'.repeat(43) } },
  { confirmation: { jkt: 'k'.repeat(43), 'x5t#S256': 'c'.repeat(43) } },
]

/** One history under way: both stores, and what the outside knows. */
interface World {
  readonly store: FamilyStore
  readonly model: FamilyModel
  readonly bench: FamilyBench
  readonly seen: Map<string, number>
  /** What PostgreSQL holds of each user, and every change that its journal has. */
  readonly users: { truth: UserRecord; journal: UserRecord[] }[]
  readonly families: Family[]
  readonly validFrom: Map<string, number>
  nowMs: number
}

/** Runs `RUNS` histories, or as many as fit into the time limit. */
export function runFamilyProperties(name: string, open: OpenFamilyBench): void {
  test(`${name}: random histories agree with the model`, { timeout: 120_000 }, async (t) => {
    const bench = await open(t)
    const stores = [bench.store, await bench.another()] as const
    const seen = new Map<string, number>()
    let runs = 0
    const history = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' })
    const property = fc.asyncProperty(history, async (steps) => {
      const world = newWorld(bench, stores[runs % 2 === 0 ? 0 : 1], seen)
      runs += 1
      for (const one of steps) await runStep(world, one)
      await compareLists(world)
    })
    await fc.assert(property, {
      numRuns: RUNS,
      interruptAfterTimeLimit: TIME_LIMIT_MS,
      markInterruptAsFailure: false,
    })
    t.comment(`${runs} histories: ${JSON.stringify(Object.fromEntries(seen))}`)
    for (const outcome of [
      'created',
      'rotated',
      'kept',
      'retried',
      'replayed',
      'inactive family_ended',
    ]) {
      t.ok(seen.has(outcome), `some history had ${outcome}`)
    }
  })
}

/** The same with the connections lost on the way. */
export function runReconnectProperties(name: string, open: OpenFamilyBench): void {
  test(`${name}: a history goes on over reconnects`, { timeout: 120_000 }, async (t) => {
    const bench = await open(t)
    const history = fc.array(step, { minLength: 20, maxLength: 30, size: 'max' })
    const property = fc.asyncProperty(history, async (steps) => {
      const world = newWorld(bench, bench.store, new Map())
      for (const [index, one] of steps.entries()) {
        await runStep(world, one)
        if (index % 10 !== 9) continue
        await bench.cut()
        await bench.heal()
        await waitUntilUp(bench.store)
      }
      await compareLists(world)
    })
    await fc.assert(property, {
      numRuns: 5,
      interruptAfterTimeLimit: TIME_LIMIT_MS,
      markInterruptAsFailure: false,
    })
    t.pass('every history agreed')
  })
}

function newWorld(bench: FamilyBench, store: FamilyStore, seen: Map<string, number>): World {
  const users = [newUser(), newUser()].map((truth) => ({ truth, journal: [truth] }))
  const model = newFamilyModel()
  return { store, model, bench, seen, users, families: [], validFrom: new Map(), nowMs: T0 }
}

async function runStep(world: World, step: Step): Promise<void> {
  switch (step.kind) {
    case 'clock':
      world.nowMs += step.byMs
      return
    case 'endClientSessions':
      world.validFrom.set(at(CLIENTS, step.pick), world.nowMs)
      return
    case 'create':
      return await create(world, at(world.users, step.pick).truth, at(CLIENTS, step.client))
    case 'createWithOldRecord':
      return await create(world, at(at(world.users, step.pick).journal, step.old), CLIENTS[0])
    case 'moveUser':
    case 'allButThis':
    case 'applyAgain':
    case 'forgetUser':
      return await runUserStep(world, step)
    default:
      if (world.families.length > 0) await runFamilyStep(world, step, at(world.families, step.pick))
  }
}

type UserStep = Extract<Step, { kind: 'moveUser' | 'allButThis' | 'applyAgain' | 'forgetUser' }>

async function runUserStep(world: World, step: UserStep): Promise<void> {
  const { store, model, bench, nowMs } = world
  const user = at(world.users, step.pick)
  if (step.kind === 'forgetUser') {
    await bench.forgetUser(user.truth.userId)
    model.forgetUser(user.truth.userId)
    return
  }
  let record = at(user.journal, 'old' in step ? step.old : 0)
  if (step.kind === 'allButThis') {
    record = nextEpoch(user.truth, 'logged_out_everywhere', nowMs)
    if (world.families.length > 0) record = keeping(record, at(world.families, step.keep))
  }
  if (step.kind === 'moveUser') record = move(user.truth, step.how, nowMs)
  if (step.kind !== 'applyAgain') {
    user.truth = record
    user.journal.push(record)
  }
  // A record may overtake another on its way, or never arrive at all.
  if ('isLost' in step && step.isLost) return
  await store.putUser(record)
  model.putUser(record)
}

function move(user: UserRecord, how: string, atMs: number): UserRecord {
  switch (how) {
    case 'logout':
      return nextEpoch(user, 'logged_out_everywhere', atMs)
    case 'password':
      return nextEpoch(user, 'password_changed', atMs)
    case 'disable':
      return nextEpoch(user, 'user_disabled', atMs)
    case 'enable':
      return { ...user, status: 'active', version: user.version + 1 }
    default:
      return withRoles(user, how === 'promote' ? ['lineage:admin'] : [])
  }
}

async function create(world: World, record: UserRecord, clientId: Family['clientId']) {
  const { store, model, nowMs } = world
  const copy = model.copyOf(record.userId)
  // Whether a refused login leaves its newer record behind is nobody's business.
  if (record.status !== 'active' && (copy?.version ?? -1) < record.version) return
  const count = world.families.length
  const amr = at([BY_PASSWORD, BY_PASSWORD_AND_CODE, BY_ASSERTION], count)
  const absoluteExpiresAtMs = nowMs + ABSOLUTE_MS
  const login = {
    ...newLogin(record, { clientId, amr, ...at(BINDINGS, count), absoluteExpiresAtMs }, nowMs),
    clientSessionsValidFromMs: world.validFrom.get(clientId) ?? 0,
  }
  const answer = await store.create(login)
  agree(world, answer, model.create(login))
  if (answer.outcome === 'created') world.families.push(answer.family)
}

type FamilyStep = Extract<Step, { kind: 'use' | 'present' | 'ask' | 'keep' | 'forge' | 'end' }>

async function runFamilyStep(world: World, step: FamilyStep, family: Family): Promise<void> {
  const { store, model, nowMs } = world
  const { userId, familyId, clientId } = family
  const current = model.find(userId, familyId) ?? family
  const stranger = clientId === CLIENTS[0] ? CLIENTS[1] : CLIENTS[0]
  const secretHash = 'A'.repeat(43)
  if (step.kind === 'end') {
    const by = {
      anyone: {},
      client: { clientId, secretHash: family.secretHash },
      stranger: { clientId: stranger, secretHash: family.secretHash },
      forger: { clientId, secretHash },
    }[step.by as 'anyone']
    const request = ending(family, { ...by, atMs: Math.max(nowMs, current.usedAtMs) })
    agree(world, { outcome: await store.end(request) }, { outcome: model.end(request) })
    return
  }
  let request = rotation(family, {
    nowMs,
    clientId,
    generation: Math.max(0, current.generation + ('lead' in step ? step.lead : 0)),
    clientSessionsValidFromMs: world.validFrom.get(clientId) ?? 0,
    ip: `192.0.2.${nowMs % 250}`,
  })
  if (step.kind === 'ask') {
    const { scope, audience, clientScopes, clientAudiences, graceMs, idleTtlMs } = step
    const asked = { requestedScope: scope, requestedAudience: audience }
    request = { ...request, ...asked, clientScopes, clientAudiences, graceMs, idleTtlMs }
  }
  if (step.kind === 'keep') {
    const { rotateAfterMs, neverRotates, idleTtlMs } = step
    request = { ...request, rotateAfterMs, neverRotates, idleTtlMs }
  }
  if (step.kind === 'forge') {
    const other = world.users.find((user) => user.truth.userId !== userId)?.truth.userId
    if (step.wrong === 'client') request = { ...request, clientId: stranger }
    if (step.wrong === 'secret') request = { ...request, secretHash }
    if (step.wrong === 'key') request = { ...request, confirmation: { jkt: secretHash } }
    if (step.wrong === 'user') request = { ...request, userId: other as UserId }
  }
  agree(world, await store.rotate(request), model.rotate(request))
}

/** The whole answer, with the whole family in it, is the model's. */
function agree(world: World, actual: { outcome: string }, expected: { outcome: string }): void {
  const word = describe(expected)
  world.seen.set(word, (world.seen.get(word) ?? 0) + 1)
  deepStrictEqual(actual, expected)
}

async function compareLists({ store, model, users }: World): Promise<void> {
  for (const { truth } of users) {
    const { user, families } = await listAll(store, truth.userId)
    deepStrictEqual(user, model.copyOf(truth.userId))
    const times = families.map((family) => family.createdAtMs)
    deepStrictEqual(
      times,
      [...times].sort((a, b) => a - b),
    )
    deepStrictEqual(byId(families), byId(model.familiesOf(truth.userId)))
  }
}

function byId(families: readonly Family[]): Family[] {
  return [...families].sort((a, b) => (a.familyId < b.familyId ? -1 : 1))
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}
