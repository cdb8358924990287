// What `lineage doctor` looks at in the keys: whether the root secrets open them, which of those
// are still in use, and whether rotation goes on.

import type { ServiceConfig } from '../../config/service-config.ts'
import { type Database, guardDatabase } from '../../database/database.ts'
import { openHeldKeys } from '../../keys/held-keys.ts'
import { findActive, findNext, listKeyViews, type SigningKey } from '../../keys/key-states.ts'
import type { SigningAlg } from '../../keys/signing-algorithms.ts'
import { UnreadableKey } from '../../keys/unreadable-key.ts'
import { listUsedRootSecrets } from '../sealed-rows.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** By how long a rotation may be overdue: a running service is only seconds late. */
const OVERDUE_DAYS = 1

type Config = Pick<ServiceConfig, 'rootSecrets' | 'keyRotationDays' | 'signingAlgs'>

export interface KeyFindings {
  readonly findings: readonly Finding[]
  /** The keys that the JWKS must hold; undefined when they could not be read. */
  readonly publishedKids: readonly string[] | undefined
}

/** Needs the tables. */
export async function examineKeys(
  database: Database,
  config: Config,
  nowMs: number,
): Promise<KeyFindings> {
  const secrets = await examineRootSecrets(database, config)
  try {
    const held = openHeldKeys(database, config.rootSecrets)
    await held.read()
    const keys = held.keys()
    const publishedKids = listKeyViews(keys, nowMs).map(({ kid }) => kid)
    const findings = [
      ...config.signingAlgs.map((alg) => checkKeys(keys, alg, config, nowMs)),
      ...listLeftOver(keys, config, nowMs),
      ...(await examineChoices(database, config)),
      secrets,
    ]
    return { findings, publishedKids }
  } catch (error) {
    if (!(error instanceof UnreadableKey)) throw error
    const advice = 'put the root secret that encrypted it back into LINEAGE_SECRET_KEY'
    const detail = (await listUnreadable(database, config)) ?? error.message
    const findings = [fail('signing keys', detail, advice), secrets]
    return { findings, publishedKids: undefined }
  }
}

/** All of them, where the first one would be found by its error; undefined where none is of a lost secret. */
async function listUnreadable(
  { pool }: Database,
  { rootSecrets }: Config,
): Promise<string | undefined> {
  const { rows } = await guardDatabase(() =>
    pool.query<{ kid: string; alg: string; id: number; all: number }>(
      `SELECT kid, alg, root_secret_id AS id, (SELECT count(*)::int FROM signing_keys) AS all
       FROM signing_keys WHERE root_secret_id <> ALL ($1) ORDER BY active_from LIMIT 20`,
      [rootSecrets.all.map(({ id }) => id)],
    ),
  )
  const [first] = rows
  if (!first) return undefined
  const each = rows.map(({ kid, alg, id }) => `${kid} (${alg}, root secret ${id})`)
  return `${rows.length} of ${first.all} cannot be read: ${each.join(', ')}`
}

function checkKeys(
  keys: readonly SigningKey[],
  alg: SigningAlg,
  { signingAlgs, keyRotationDays }: Config,
  nowMs: number,
): Finding {
  const check = signingAlgs.length === 1 ? 'signing keys' : `signing keys ${alg}`
  const states = statesOf(keys, alg, nowMs)
  const active = findActive(keys, alg, nowMs)
  if (!active) {
    if (states.includes('next')) return ok(check, `${states.join(', ')}; not yet in every JWKS`)
    return warn(check, 'there is none yet', 'start the service: it makes one')
  }
  const ageDays = Math.max(0, Math.floor((nowMs - active.activeFromMs) / DAY_MS))
  const next = findNext(keys, alg, nowMs)
  const signs = next ? `, the next signs from ${new Date(next.activeFromMs).toISOString()}` : ''
  const detail = `${states.join(', ')}; the active one for ${ageDays} of ${keyRotationDays} days${signs}`
  return ageDays > keyRotationDays + OVERDUE_DAYS && !next
    ? warn(check, `${detail}, rotation is overdue`, 'start the service: it rotates them')
    : ok(check, detail)
}

/** Keys of algorithms that are not configured here: they go when no instance has them any more. */
function listLeftOver(
  keys: readonly SigningKey[],
  { signingAlgs }: Config,
  nowMs: number,
): readonly Finding[] {
  const algs = new Set(listKeyViews(keys, nowMs).map(({ alg }) => alg))
  return [...algs]
    .filter((alg) => !signingAlgs.includes(alg))
    .map((alg) => {
      const detail = `${statesOf(keys, alg, nowMs).join(', ')}; not configured here`
      return ok(`signing keys ${alg}`, detail)
    })
}

function statesOf(keys: readonly SigningKey[], alg: SigningAlg, nowMs: number): readonly string[] {
  const views = listKeyViews(keys, nowMs)
  return views.filter((view) => view.alg === alg).map(({ state }) => state)
}

/** Clients whose tokens are not signed as they ask for. */
async function examineChoices(
  { pool }: Database,
  { signingAlgs }: Config,
): Promise<readonly Finding[]> {
  const { rows } = await guardDatabase(() =>
    pool.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM clients WHERE signing_alg <> ALL ($1)',
      [signingAlgs],
    ),
  )
  const { count = 0 } = rows[0] ?? {}
  if (count === 0) return []
  const detail = `${count} ask for an algorithm that is not configured and get ${signingAlgs[0]}`
  return [warn('clients', detail, 'add it to LINEAGE_SIGNING_ALGS, or change their signingAlg')]
}

/** Which root secrets are still in use; all others may be removed from the configuration. */
async function examineRootSecrets(database: Database, { rootSecrets }: Config): Promise<Finding> {
  const used = await listUsedRootSecrets(database)
  const name = (ids: readonly number[]) => ids.join(', ') || 'none'
  const configured = rootSecrets.all.map(({ id }) => id)
  const detail = `ids configured: ${name(configured)}; ids in use: ${name(used)}`
  if (used.some((id) => !configured.includes(id))) {
    const advice = 'put the missing root secret back into LINEAGE_SECRET_KEY'
    return fail('root secrets', detail, advice)
  }
  return used.some((id) => id !== rootSecrets.current.id)
    ? warn('root secrets', detail, 'restart an instance: it encrypts everything under the first')
    : ok('root secrets', detail)
}
