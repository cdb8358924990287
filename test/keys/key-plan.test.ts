// What is planned for keys of several algorithms, at single moments and through random histories.

import fc from 'fast-check'
import { test } from 'tap'
import {
  isNothing,
  type KeyPlan,
  LEFT_AFTER_MS,
  type PlanRules,
  planReplacement,
  planSchedule,
  planSuccessors,
  WANTED_EVERY_MS,
} from '../../src/keys/key-plan.ts'
import {
  findActive,
  findSigner,
  listPublished,
  type SigningKey,
} from '../../src/keys/key-states.ts'
import type { SigningAlg, SigningAlgs } from '../../src/keys/signing-algorithms.ts'
import { makeKey } from '../scenes/token-input.ts'

const DAY = 86_400_000
const SAFE = 360_000
const MATERIALS = {
  ES256: (await makeKey('ES256')).material,
  RS256: (await makeKey('RS256')).material,
  EdDSA: (await makeKey('EdDSA')).material,
} as const
type Alg = keyof typeof MATERIALS
const NOW = 100 * DAY

const key = (alg: Alg, activeFromMs: number, more: Partial<SigningKey> = {}): SigningKey => ({
  kid: `${alg}-${activeFromMs}`,
  material: MATERIALS[alg],
  publishedAtMs: activeFromMs - SAFE,
  activeFromMs,
  signsUntilMs: undefined,
  wantedAtMs: NOW,
  longestTokenSeconds: 600,
  ...more,
})
const rulesOf = (...signingAlgs: SigningAlgs): PlanRules => ({
  signingAlgs,
  keyRotationDays: 30,
  jwksMaxAgeSeconds: 300,
})
const NOTHING: KeyPlan = { replaces: [], limits: [], begins: [] }
const es = key('ES256', NOW - DAY)
const rsa = key('RS256', NOW - DAY)

test('the first keys of all sign at once, one of each algorithm', async (t) => {
  t.strictSame(planSchedule([], 5, rulesOf('ES256', 'RS256')), {
    ...NOTHING,
    begins: [
      { alg: 'ES256', activeFromMs: 5 },
      { alg: 'RS256', activeFromMs: 5 },
    ],
  })
})

test('a successor is due after the configured days, each algorithm by its own key', async (t) => {
  const keys = [key('ES256', NOW - 30 * DAY), rsa]
  const rules = rulesOf('ES256', 'RS256')
  t.ok(isNothing(planSchedule(keys, NOW - 1, rules)))
  const begins = [{ alg: 'ES256', activeFromMs: NOW + SAFE } as const]
  t.strictSame(planSchedule(keys, NOW, rules), { ...NOTHING, begins })
  t.ok(isNothing(planSchedule([...keys, key('ES256', NOW + SAFE)], NOW, rules)), 'one waits')
})

test('an algorithm that is new in the configuration is published first', async (t) => {
  const begins = [{ alg: 'RS256', activeFromMs: NOW + SAFE } as const]
  t.strictSame(planSchedule([es], NOW, rulesOf('ES256', 'RS256')), { ...NOTHING, begins })
  t.strictSame(planSchedule([es], NOW, rulesOf('RS256')), { ...NOTHING, begins })
})

test('an algorithm that nobody has configured is given up, once another can sign for it', async (t) => {
  const left = key('RS256', NOW - DAY, { wantedAtMs: NOW - LEFT_AFTER_MS })
  const endOf = (plan: KeyPlan) => plan.limits.map(({ signsUntilMs }) => signsUntilMs)
  t.ok(isNothing(planSchedule([es, left], NOW - 1, rulesOf('ES256'))), 'somebody may have it')
  t.strictSame(planSchedule([es, left], NOW, rulesOf('ES256')).limits, [
    { kid: left.kid, signsUntilMs: NOW + SAFE },
  ])
  const late = key('ES256', NOW + 2 * SAFE)
  t.strictSame(endOf(planSchedule([left, late], NOW, rulesOf('ES256'))), [NOW + 2 * SAFE])
  t.ok(isNothing(planSchedule([es, left], NOW, rulesOf('ES256', 'RS256'))), 'not one of ours')
  const ended = { ...left, signsUntilMs: NOW + 5 }
  t.ok(isNothing(planSchedule([es, ended], NOW, rulesOf('ES256'))), 'once is enough')
})

test('one that was given up is taken up again, by the same key as long as it is published', async (t) => {
  const rules = rulesOf('ES256', 'RS256')
  const ended = { ...rsa, signsUntilMs: NOW }
  const limits = [{ kid: rsa.kid, signsUntilMs: undefined }]
  t.strictSame(planSchedule([es, ended], NOW + 659_999, rules), { ...NOTHING, limits })
  t.strictSame(planSchedule([es, ended], NOW + 660_000, rules), {
    ...NOTHING,
    begins: [{ alg: 'RS256', activeFromMs: NOW + 660_000 + SAFE }],
  })
})

test('by hand a successor comes for those that have none waiting', async (t) => {
  const keys = [es, rsa, key('ES256', NOW + 5)]
  const rules = rulesOf('ES256', 'RS256')
  t.strictSame(planSuccessors(keys, NOW, rules.signingAlgs, rules), {
    ...NOTHING,
    begins: [{ alg: 'RS256', activeFromMs: NOW + SAFE }],
  })
  t.ok(isNothing(planSuccessors(keys, NOW, ['ES256'], rules)))
})

test('a replacement drops every key and makes one of all that anybody uses', async (t) => {
  const given = key('EdDSA', NOW - DAY, { signsUntilMs: NOW })
  const keys = [es, rsa, key('EdDSA', NOW - 2 * DAY), given, key('ES256', NOW + 5)]
  const { replaces, begins } = planReplacement(keys, NOW, rulesOf('ES256'))
  t.strictSame(replaces, keys)
  t.strictSame(begins, [
    { alg: 'ES256', activeFromMs: NOW },
    { alg: 'RS256', activeFromMs: NOW },
  ])
})

/** Of two instances; null while one is down. */
const someConfiguration = fc.option(
  fc.shuffledSubarray<Alg>(['ES256', 'RS256', 'EdDSA'], { minLength: 1 }),
)
const someStep = fc.record({
  configurations: fc.tuple(someConfiguration, someConfiguration),
  minutes: fc.integer({ min: 1, max: 60 * 24 * 40 }),
  byHand: fc.boolean(),
})

interface World {
  keys: SigningKey[]
  made: number
  /** The kids in the JWKS, minute by minute, for as long as one may be cached. */
  cached: ReadonlySet<string>[]
  alive: { kid: string; expMs: number }[]
}

/** As the rotation carries it out. */
function carryOut(world: World, { replaces, limits, begins }: KeyPlan, nowMs: number): void {
  const changed = world.keys
    .filter((one) => !replaces.includes(one))
    .map((one) => {
      const limit = limits.find(({ kid }) => kid === one.kid)
      return limit ? { ...one, signsUntilMs: limit.signsUntilMs } : one
    })
  for (const { alg, activeFromMs } of begins) {
    world.made += 1
    const times = { kid: `k${world.made}`, publishedAtMs: nowMs, wantedAtMs: nowMs }
    changed.push(key(alg as Alg, activeFromMs, times))
  }
  world.keys = changed.sort((one, other) => one.activeFromMs - other.activeFromMs)
}

/** What is wrong at this moment; undefined if nothing. */
function findFault(world: World, running: readonly SigningAlgs[], nowMs: number) {
  const published = new Set(listPublished(world.keys, nowMs).map(({ kid }) => kid))
  // Five minutes of max-age: the oldest copy is of then. Before the first start there is none.
  if (published.size > 0) world.cached = [...world.cached, published].slice(-6)
  for (const signingAlgs of running) {
    for (const alg of [null, 'ES256', 'RS256', 'EdDSA']) {
      const signer = findSigner(world.keys, alg, signingAlgs, nowMs)
      if (!signer) return `nobody signs ${alg}`
      if (!world.cached.every((kids) => kids.has(signer.kid))) return `${signer.kid} is not cached`
      world.alive.push({ kid: signer.kid, expMs: nowMs + 600_000 })
    }
  }
  world.alive = world.alive.filter(({ expMs }) => nowMs < expMs)
  const lost = world.alive.find(({ kid }) => !published.has(kid))
  if (lost) return `${lost.kid} left before its tokens`
  for (const alg of Object.keys(MATERIALS) as SigningAlg[]) {
    const active = world.keys.filter((one) => findActive(world.keys, alg, nowMs) === one)
    if (active.length > 1) return `two of ${alg} are active`
  }
  return undefined
}

test('whatever instances are configured to, every token is signed by a key that every cached JWKS has', async (t) => {
  fc.assert(
    fc.property(fc.array(someStep, { minLength: 1, maxLength: 6 }), (steps) => {
      const world: World = { keys: [], made: 0, cached: [], alive: [] }
      let nowMs = NOW
      for (const { configurations, minutes, byHand } of steps) {
        const running = configurations.flatMap((one) => (one ? [one as [Alg, ...Alg[]]] : []))
        for (let minute = 0; minute < Math.min(minutes, 45); minute += 1) {
          for (const signingAlgs of running) {
            world.keys = world.keys.map((one) =>
              signingAlgs.includes(one.material.alg as Alg) ? { ...one, wantedAtMs: nowMs } : one,
            )
            const rules = rulesOf(...signingAlgs)
            carryOut(world, planSchedule(world.keys, nowMs, rules), nowMs)
            const isAsked = byHand && minute === 7
            if (isAsked)
              carryOut(world, planSuccessors(world.keys, nowMs, signingAlgs, rules), nowMs)
          }
          const fault = findFault(world, running, nowMs)
          if (fault) throw new Error(`${fault} at minute ${minute}`)
          nowMs += WANTED_EVERY_MS
        }
        // Then it is quiet for a while, in which nothing changes but the time.
        if (minutes > 45 && running.length === 0) {
          world.cached = []
          nowMs += minutes * 60_000
        }
      }
    }),
    { numRuns: 150 },
  )
  t.pass('in many histories')
})

test('instances of different configurations come to rest: one active key for each that one of them has', async (t) => {
  fc.assert(
    fc.property(someConfiguration, someConfiguration, (one, other) => {
      const running = [one, other].flatMap((algs) => (algs ? [algs as [Alg, ...Alg[]]] : []))
      const world: World = { keys: [], made: 0, cached: [], alive: [] }
      carryOut(world, planSchedule([], NOW, rulesOf('ES256', 'RS256', 'EdDSA')), NOW)
      let lastChange = NOW
      for (let nowMs = NOW; nowMs < NOW + 120 * 60_000; nowMs += WANTED_EVERY_MS) {
        for (const algs of running) {
          world.keys = world.keys.map((held) =>
            algs.includes(held.material.alg as Alg) ? { ...held, wantedAtMs: nowMs } : held,
          )
          const plan = planSchedule(world.keys, nowMs, rulesOf(...algs))
          if (!isNothing(plan)) lastChange = nowMs
          carryOut(world, plan, nowMs)
        }
      }
      const atMs = NOW + 120 * 60_000
      if (running.length === 0) return
      const wanted = new Set(running.flat())
      for (const alg of ['ES256', 'RS256', 'EdDSA'] as const) {
        const isActive = findActive(world.keys, alg, atMs) !== undefined
        if (isActive !== wanted.has(alg)) throw new Error(`${alg} is active: ${isActive}`)
      }
      if (lastChange > NOW + LEFT_AFTER_MS) throw new Error('they did not come to rest')
    }),
  )
  t.pass('for all pairs')
})
