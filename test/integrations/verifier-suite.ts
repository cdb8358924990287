// What any JWT library is put through as a resource server of Lineage: which tokens it takes and
// which it does not, and that no rotation of keys makes it refuse a good one. Each library brings a
// driver; its caches are as its documents have them.

import { decodeProtectedHeader } from 'jose'
import { type Test, test } from 'tap'
import type { SigningAlg } from '../../src/keys/signing-algorithms.ts'
import {
  BAD_TOKENS,
  type BadToken,
  issueToken,
  makeBadTokens,
  makeStrangersToken,
} from '../scenes/bad-tokens.ts'
import {
  API,
  countJwksRequests,
  makeConfidentialClient,
  type Scene,
  type SceneOptions,
  startScene,
} from '../scenes/integration-scene.ts'
import { readTable } from '../support/documented.ts'
import { type SteppedDate, startSteppedDate } from '../support/stepped-date.ts'

export interface VerifierSettings {
  readonly issuer: string
  readonly audience: string
  readonly jwksUri: string
  readonly algorithm: SigningAlg
}

/** Resolves with the claims; rejects with the library's own error. */
export type Verify = (token: string) => Promise<Record<string, unknown>>

export interface VerifierLibrary {
  readonly name: string
  readonly algorithms: readonly SigningAlg[]
  readonly open: (t: Test, settings: VerifierSettings) => Promise<Verify>
  /** What the library calls its refusal; throws for an error that is none. */
  readonly refusalOf: (error: unknown) => string
  readonly refusals: Readonly<Record<BadToken, string>>
  /** `LINEAGE_JWKS_MAX_AGE_SECONDS` with which its cache never has to refuse. */
  readonly maxAgesSeconds: readonly number[]
  /** False where it asks for the JWKS at every token, so that no max-age makes a difference. */
  readonly keepsKeys?: boolean
  /** Where the library wants more than a plain Lineage. */
  readonly startScene?: (t: Test, options: SceneOptions) => Promise<Scene>
}

const TTL_SECONDS = 120
const STEP_SECONDS = 10
/** The margin of docs/semantics.md §8, on top of max-age and of the longest life of a token. */
const MARGIN_SECONDS = 60
const ROTATIONS = 2
/** The states of all keys, and that of the key which signed what was verified. */
const PHASES = [
  'active, by active',
  'active next, by active',
  'retiring active, by retiring',
  'retiring active, by active',
]
/** More means that the library caches nothing. */
const FETCHES_MAX = 12

export function runVerifierSuite(library: VerifierLibrary): void {
  const { name, algorithms, maxAgesSeconds } = library
  test(`${name}: takes a good token, signed by ${algorithms.join(', ')}`, (t) =>
    checkAlgorithms(t, library))
  test(`${name}: refuses what is no good access token (C67, C70)`, (t) => checkRefusals(t, library))
  for (const maxAge of maxAgesSeconds) {
    test(`${name}: two rotations, no token rejected, JWKS max-age ${maxAge} s (C75)`, (t) =>
      checkRotations(t, library, maxAge))
  }
  test(`${name}: strangers with unknown kids do not keep a new key out (C75)`, (t) =>
    checkStrangers(t, library))
  test(`${name}: its line in docs/integrations.md says the same`, async (t) => {
    const maxAge = maxAgesSeconds.join(' ')
    const isAny = maxAge === '0 300' || library.keepsKeys === false
    t.match(readTable('Verifiers').get(name), {
      Algorithms: algorithms.join(' '),
      'JWKS max-age': isAny ? 'any' : maxAge,
    })
  })
}

async function checkAlgorithms(t: Test, library: VerifierLibrary): Promise<void> {
  for (const algorithm of library.algorithms) {
    const { scene, verify, issue } = await openScene(t, library, { signingAlgs: [algorithm] })
    const token = await issue()
    t.equal(decodeProtectedHeader(token).alg, algorithm)
    t.match(await verify(token), { iss: scene.issuer, aud: API, scope: 'notes:read' }, algorithm)
  }
}

async function checkRefusals(t: Test, library: VerifierLibrary): Promise<void> {
  const { scene, verify, issue } = await openScene(t, library, {})
  const good = await issue()
  const bad = await makeBadTokens(t, scene, good)
  for (const kind of BAD_TOKENS) {
    t.equal(await refusalOf(verify(bad[kind]), library), library.refusals[kind], kind)
  }
  t.match(await verify(good), { iss: scene.issuer }, 'a good one passes after all of that')
}

/**
 * Tokens are issued all the time, and all that have not expired are verified all the time, by one
 * long-lived verifier.
 */
async function checkRotations(
  t: Test,
  library: VerifierLibrary,
  jwksMaxAgeSeconds: number,
): Promise<void> {
  const date = startSteppedDate(t)
  const config = { jwksMaxAgeSeconds, accessTokenTtlSeconds: TTL_SECONDS }
  const { scene, verify, issue } = await openScene(t, library, config)
  const fetchesBefore = countJwksRequests(scene)
  const traffic = openTraffic(scene, verify, issue)
  const kids = [scene.service.keys.list()[0]?.kid]

  for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
    await traffic.run(date, 3 * STEP_SECONDS)
    t.equal((await scene.admin('POST', '/admin/keys/rotate', {})).status, 201)
    kids.push(scene.service.keys.list().at(-1)?.kid)
    await traffic.run(date, jwksMaxAgeSeconds + MARGIN_SECONDS)
    t.equal(traffic.signer(), kids[rotation], 'the new key signs')
    await traffic.run(date, TTL_SECONDS + MARGIN_SECONDS + STEP_SECONDS)
    t.strictSame(await listKids(scene), [kids[rotation]], 'the old key has left the JWKS')
  }
  t.strictSame(traffic.rejected, [])
  t.equal(new Set(kids).size, ROTATIONS + 1)
  t.strictSame(new Set(traffic.verified.keys()), new Set(PHASES))
  const total = [...traffic.verified.values()].reduce((sum, count) => sum + count, 0)
  // Each token at each step of its life, but for the steps before the first one.
  const life = TTL_SECONDS / STEP_SECONDS
  t.equal(total, traffic.issued() * life - (life * (life - 1)) / 2, 'all of them were verified')
  const fetches = countJwksRequests(scene) - fetchesBefore
  const kept = fetches <= FETCHES_MAX
  t.equal(kept, library.keepsKeys ?? true, `${fetches} fetches of the JWKS`)
}

/** Each would make the library ask again and then cool down; the new key is there already. */
async function checkStrangers(t: Test, library: VerifierLibrary): Promise<void> {
  const date = startSteppedDate(t)
  const [jwksMaxAgeSeconds = 0] = library.maxAgesSeconds
  const { scene, verify, issue } = await openScene(t, library, { jwksMaxAgeSeconds })
  const old = await issue()
  await verify(old)
  await scene.admin('POST', '/admin/keys/rotate', {})
  const waitSeconds = jwksMaxAgeSeconds + MARGIN_SECONDS
  for (let second = 0; second < waitSeconds; second += STEP_SECONDS) {
    const stranger = makeStrangersToken(old, `stranger-${second}`)
    t.not(await refusalOf(verify(stranger), library), 'not refused')
    date.step(STEP_SECONDS)
    t.match(await verify(old), { aud: API })
  }
  const fresh = await issue()
  t.not(decodeProtectedHeader(fresh).kid, decodeProtectedHeader(old).kid)
  t.match(await verify(fresh), { aud: API }, 'its first token')
}

interface Opened {
  readonly scene: Scene
  readonly verify: Verify
  readonly issue: () => Promise<string>
}

async function openScene(
  t: Test,
  library: VerifierLibrary,
  config: SceneOptions['config'],
): Promise<Opened> {
  const scene = await (library.startScene ?? startScene)(t, { config: config ?? {} })
  const client = await makeConfidentialClient(scene)
  const algorithm = config?.signingAlgs?.[0] ?? 'ES256'
  const jwksUri = `${scene.issuer}/.well-known/jwks.json`
  const settings = { issuer: scene.issuer, audience: API, jwksUri, algorithm }
  const verify = await library.open(t, settings)
  return { scene, verify, issue: () => issueToken(scene, client) }
}

function openTraffic(scene: Scene, verify: Verify, issue: () => Promise<string>) {
  const alive: { token: string; kid: string | undefined; expMs: number }[] = []
  const verified = new Map<string, number>()
  const rejected: string[] = []

  async function verifyAll(): Promise<void> {
    const keys = scene.service.keys.list()
    const states = keys.map(({ state }) => state).join(' ')
    for (const { token, kid } of alive.filter(({ expMs }) => Date.now() < expMs)) {
      const phase = `${states}, by ${keys.find((key) => key.kid === kid)?.state}`
      await verify(token).then(
        () => verified.set(phase, (verified.get(phase) ?? 0) + 1),
        (error: unknown) => rejected.push(`${phase}: ${String(error)}`),
      )
    }
  }

  return {
    verified,
    rejected,
    issued: () => alive.length,
    signer: () => alive.at(-1)?.kid,
    /** Through so many seconds, the last moment included. */
    async run(date: SteppedDate, seconds: number): Promise<void> {
      for (let second = 0; second < seconds; second += STEP_SECONDS) {
        date.step(STEP_SECONDS)
        const token = await issue()
        const expMs = Date.now() + TTL_SECONDS * 1000
        alive.push({ token, kid: decodeProtectedHeader(token).kid, expMs })
        await verifyAll()
      }
    },
  }
}

async function listKids(scene: Pick<Scene, 'fetch'>): Promise<unknown[]> {
  const answer = await scene.fetch('/.well-known/jwks.json')
  const { keys } = (await answer.json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

function refusalOf(verification: Promise<unknown>, library: VerifierLibrary): Promise<string> {
  return verification.then(() => 'not refused', library.refusalOf)
}
