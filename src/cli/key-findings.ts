// What `lineage doctor` looks at in the keys: whether the root secrets open them, which of those
// are still in use, and whether rotation goes on.

import type { ServiceConfig } from '../config/service-config.ts'
import { type Database, guardDatabase } from '../database/database.ts'
import { openHeldKeys } from '../keys/held-keys.ts'
import { findActive, listKeyViews, type SigningKey } from '../keys/key-states.ts'
import { UnreadableKey } from '../keys/unreadable-key.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** By how long a rotation may be overdue: a running service is only seconds late. */
const OVERDUE_DAYS = 1

type Config = Pick<ServiceConfig, 'rootSecrets' | 'keyRotationDays'>

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
    return { findings: [checkKeys(keys, config, nowMs), secrets], publishedKids }
  } catch (error) {
    if (!(error instanceof UnreadableKey)) throw error
    const advice = 'put the root secret that encrypted it back into LINEAGE_SECRET_KEY'
    const findings = [fail('signing keys', error.message, advice), secrets]
    return { findings, publishedKids: undefined }
  }
}

function checkKeys(
  keys: readonly SigningKey[],
  { keyRotationDays }: Config,
  nowMs: number,
): Finding {
  const active = findActive(keys, nowMs)
  if (!active) return warn('signing keys', 'there is none yet', 'start the service: it makes one')
  const ageDays = Math.max(0, Math.floor((nowMs - active.activeFromMs) / DAY_MS))
  const states = listKeyViews(keys, nowMs).map(({ state }) => state)
  const detail = `${states.join(', ')}; the active one for ${ageDays} days`
  return ageDays > keyRotationDays + OVERDUE_DAYS && !states.includes('next')
    ? warn('signing keys', `${detail}, rotation is overdue`, 'start the service: it rotates them')
    : ok('signing keys', detail)
}

/** Which root secrets are still in use; all others may be removed from the configuration. */
async function examineRootSecrets({ pool }: Database, { rootSecrets }: Config): Promise<Finding> {
  const { rows } = await guardDatabase(() =>
    pool.query<{ id: number }>(
      `SELECT DISTINCT root_secret_id AS id FROM signing_keys
       UNION SELECT DISTINCT root_secret_id FROM webhooks ORDER BY id`,
    ),
  )
  const used = rows.map(({ id }) => id)
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
