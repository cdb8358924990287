// `lineage drill key-leak`: what replacing every signing key refuses, and until when; and, where it is
// meant, doing it and watching the running instances.

import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { type Database, guardDatabase } from '../../database/database.ts'
import { openHeldKeys } from '../../keys/held-keys.ts'
import { openKeyRing } from '../../keys/key-ring.ts'
import { deriveStates, type KeyStatus } from '../../keys/key-states.ts'
import { openKeyManagement, recordKeyEvents } from '../../management/key-management.ts'
import { isJwsAlg, isSignedBy } from '../../runtime/jws-algorithms.ts'
import { CLI_ACT, type CommandDatabase, type CommandUsers } from '../command-stores.ts'
import {
  type DrillPlan,
  type Expectation,
  isoOf,
  lengthOf,
  type Observation,
} from './drill-plan.ts'
import { type Probe, verdictOf, watch } from './drill-probe.ts'
import { readLongestLives } from './longest-lives.ts'

/** How soon instances take over what another one has changed (docs/semantics.md §20). */
const TAKEN_OVER = 'within 5 s'
const AUDIENCES_MAX = 20
/** What a key is published for beyond its last token (docs/semantics.md §8). */
const SLACK_MS = 60_000

/** Reads, and changes nothing. Rejects with DependencyUnavailable, or UnreadableKey. */
export async function planKeyLeak({
  database,
  config,
  clock,
}: CommandDatabase): Promise<DrillPlan> {
  const nowMs = clock()
  const held = openHeldKeys(database, config.rootSecrets)
  await held.read()
  const published = deriveStates(held.keys(), nowMs).filter(({ state }) => state !== 'retired')
  const endsMs = Math.max(nowMs, ...published.map((status) => lastTokenEndMs(status, nowMs)))
  const cachedMs = nowMs + config.jwksMaxAgeSeconds * 1000
  const { clients, accessSeconds } = await readLongestLives(database, config)
  const keys = published.map(({ key, state }) => `${key.kid} (${key.material.alg}, ${state})`)
  return {
    drill: 'key-leak',
    issuer: config.issuer,
    at: isoOf(nowMs),
    facts: {
      keys,
      lastTokenEnds: isoOf(endsMs),
      longestAccessToken: lengthOf(accessSeconds),
      jwksMaxAge: lengthOf(config.jwksMaxAgeSeconds),
      clients,
      audiences: await listAudiences(database, config.defaultAudience ?? config.issuer),
      sessionsUsedWithinThatLife:
        (config.redis ? undefined : await countUsed(database, nowMs - accessSeconds * 1000)) ??
        'not counted: access tokens are not stored',
    },
    expectations: listExpectations(isoOf(endsMs), isoOf(cachedMs)),
    doing: ['lineage keys rotate --compromised'],
    notes: [
      'every key of every algorithm is replaced: whoever got at one got at all',
      `a verifier that loaded the JWKS a moment before takes tokens by the leaked key until ${isoOf(cachedMs)}; ` +
        'restart it, or empty its cache, where that is too long',
      'gateways that were given PEM files need the new ones by hand (`lineage keys export --pem`)',
    ],
  }
}

function listExpectations(end: string, cached: string): readonly Expectation[] {
  return [
    {
      id: 'access-tokens-here',
      what: 'access tokens of before, at /introspect, /verify, /users/me and /admin',
      ...{ verdict: 'refused', from: TAKEN_OVER, until: end },
    },
    {
      id: 'old-keys-in-jwks',
      what: 'the leaked keys, in the JWKS',
      ...{ verdict: 'refused', from: TAKEN_OVER, until: 'for good' },
    },
    {
      id: 'access-tokens-elsewhere',
      what: 'access tokens of before, at verifiers that have loaded the JWKS again',
      ...{ verdict: 'refused', from: `by ${cached}`, until: end },
    },
    {
      id: 'access-tokens-cached',
      what: 'tokens by the leaked keys, at verifiers with the JWKS of before',
      ...{ verdict: 'goes on', from: 'now', until: cached },
    },
    {
      id: 'refresh-tokens',
      what: 'refresh tokens: clients refresh, and have a token by a new key',
      ...{ verdict: 'goes on', from: 'now', until: 'as before' },
    },
    {
      id: 'logins',
      what: 'logins, with tokens by a new key',
      ...{ verdict: 'goes on', from: 'now', until: 'as before' },
    },
  ]
}

/** When the last token that the key has signed until now is over. */
function lastTokenEndMs({ key, state, retireAtMs }: KeyStatus, nowMs: number): number {
  if (state === 'next') return nowMs
  return retireAtMs === undefined ? nowMs + key.longestTokenSeconds * 1000 : retireAtMs - SLACK_MS
}

async function listAudiences({ pool }: Database, ofDefault: string): Promise<readonly string[]> {
  const { rows } = await guardDatabase(() =>
    pool.query<{ audience: string }>(
      `SELECT DISTINCT audience FROM clients, unnest(
         CASE WHEN cardinality(audiences) = 0 THEN ARRAY[$1] ELSE audiences END) AS audience
       ORDER BY audience LIMIT ${AUDIENCES_MAX + 1}`,
      [ofDefault],
    ),
  )
  const names = rows.map(({ audience }) => audience)
  return names.length > AUDIENCES_MAX ? [...names.slice(0, AUDIENCES_MAX), '…'] : names
}

/** Undefined where it would take the server too long. */
async function countUsed({ pool }: Database, sinceMs: number): Promise<number | undefined> {
  try {
    const { rows } = await guardDatabase(() =>
      pool.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM families
         WHERE GREATEST(rotated_at_ms, COALESCE(used_at_ms, 0)) > $1`,
        [Math.floor(sinceMs)],
      ),
    )
    return rows[0]?.count
  } catch {
    return undefined
  }
}

/** Replaces every key, as `lineage keys rotate --compromised` does, and watches what the plan says. */
export async function executeKeyLeak(
  stores: CommandUsers,
  probe: Probe,
): Promise<readonly Observation[]> {
  const before = await probe.login()
  const cached = await probe.jwks()
  const oldKid = kidOf(before.accessToken)
  const ring = await openKeyRing({ ...stores, recordKeyEvent: recordKeyEvents(stores.recordEvent) })
  await openKeyManagement(ring, stores.config).rotate({ compromised: true }, CLI_ACT)
  const fromMs = performance.now()
  const verify = async (keys: Promise<readonly JsonWebKey[]>) =>
    isVerified(before.accessToken, await keys) ? 'goes on' : 'refused'
  const isOldServed = async () => (await probe.jwks()).some(({ kid }) => kid === oldKid)
  const [here, inJwks, elsewhere, ofCached] = await Promise.all([
    watch('refused', async () => verdictOf(await probe.use(before.accessToken)), fromMs),
    watch('refused', async () => ((await isOldServed()) ? 'goes on' : 'refused'), fromMs),
    watch('refused', () => verify(probe.jwks()), fromMs),
    watch('goes on', () => verify(Promise.resolve(cached)), fromMs),
  ])
  const refreshed = await probe.refresh(before.refreshToken)
  const after = await probe.login()
  const isNew = (token: string | undefined) => token !== undefined && kidOf(token) !== oldKid
  const seen = (is: boolean) => (is ? 'goes on' : 'refused')
  const rest = { expected: 'goes on', afterSeconds: (performance.now() - fromMs) / 1000 } as const
  return [
    { id: 'access-tokens-here', ...here, detail: 'at /users/me' },
    { id: 'old-keys-in-jwks', ...inJwks, detail: oldKid },
    { id: 'access-tokens-elsewhere', ...elsewhere, detail: 'with the JWKS of now' },
    { id: 'access-tokens-cached', ...ofCached, detail: 'with the JWKS of before' },
    {
      ...{ id: 'refresh-tokens', ...rest, detail: `status ${refreshed.status}` },
      seen: seen(isNew(refreshed.tokens?.accessToken)),
    },
    {
      ...{ id: 'logins', ...rest, detail: `by ${kidOf(after.accessToken)}` },
      seen: seen(isNew(after.accessToken)),
    },
  ]
}

function headerOf(token: string): { readonly kid?: unknown; readonly alg?: unknown } {
  return JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString())
}

function kidOf(token: string): string {
  return String(headerOf(token).kid)
}

/** As a verifier that knows nothing but these keys. */
function isVerified(token: string, keys: readonly JsonWebKey[]): boolean {
  const { kid, alg } = headerOf(token)
  const jwk = keys.find((key) => key.kid === kid)
  if (!jwk || typeof alg !== 'string' || !isJwsAlg(alg)) return false
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return isSignedBy(key, alg, Buffer.from(token.slice(0, end)), signature)
}
