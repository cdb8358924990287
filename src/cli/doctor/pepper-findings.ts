// What `lineage doctor` says of the peppers of password hashes: whether users have one that is not
// configured. Each hash names its pepper, and there may be millions of them, so a large table is sampled.

import type { ServiceConfig } from '../../config/service-config.ts'
import type { Database } from '../../database/database.ts'
import { openPlainQuery } from '../../database/plain-query.ts'
import { inTransaction } from '../../database/transaction.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'

const CHECK = 'password peppers'
/** What is read of the table: 64 MiB, some hundred thousand users. */
const PAGES_MAX = 8_192
const PAGE_BYTES = 8_192
/** The statement reads a table that others use. */
const TIMEOUT_MS = 5_000

interface PepperCount {
  /** As the hash has it: base64 of one byte. */
  readonly pepper: string
  readonly count: number
}

export async function examinePeppers(
  { pool }: Database,
  { passwordPeppers: peppers }: Pick<ServiceConfig, 'passwordPeppers'>,
  pagesMax = PAGES_MAX,
): Promise<Finding> {
  try {
    const { percent, counts } = await inTransaction(
      pool,
      async (client) => {
        const query = openPlainQuery(client, TIMEOUT_MS)
        await query(`SET LOCAL statement_timeout = ${TIMEOUT_MS}`)
        const [size] = await query<{ pages: number }>(
          `SELECT (pg_relation_size('users') / ${PAGE_BYTES})::int AS pages`,
        )
        const percent = Math.min(100, (100 * pagesMax) / Math.max(1, size?.pages ?? 1))
        return { percent, counts: await query<PepperCount>(countOf(percent)) }
      },
      TIMEOUT_MS,
    )
    const isKnown = ({ pepper }: PepperCount) => peppers?.byId(idOf(pepper)) !== undefined
    const isFirst = ({ pepper }: PepperCount) => peppers?.current?.id === idOf(pepper)
    const sum = (some: readonly PepperCount[]) => some.reduce((all, { count }) => all + count, 0)
    const missing = counts.filter((one) => !isKnown(one))
    const about = percent < 100 ? `in a sample of ${percent.toFixed(1)} % of the users ` : ''
    if (missing.length > 0) {
      const each = missing.map((one) => `${one.count} with pepper ${idOf(one.pepper)}`)
      const advice =
        'put it back into LINEAGE_PASSWORD_PEPPER: until then these users are refused as for a ' +
        'wrong password'
      return fail(CHECK, `${about}hashes name a pepper that is not configured: ${each}`, advice)
    }
    if (counts.length === 0 && !peppers?.current) return skip(CHECK, 'none is configured or used')
    const others = sum(counts.filter((one) => !isFirst(one)))
    const detail = `${about}${sum(counts)} hashes have one, ${others} of them not the first`
    const advice = 'each changes over at the next login; keep the old pepper in the list until then'
    return others > 0 ? warn(CHECK, detail, advice) : ok(CHECK, detail)
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error
    return skip(CHECK, `not counted in ${TIMEOUT_MS / 1000} s: the table is large or locked`)
  }
}

/** A sample takes whole pages, so that no more than those are read. */
function countOf(percent: number): string {
  const sample = percent < 100 ? `TABLESAMPLE SYSTEM (${percent.toFixed(4)})` : ''
  return `SELECT substring(password_hash from ',keyid=([A-Za-z0-9+/]{2})[,$]') AS pepper,
      count(*)::int AS count
    FROM users ${sample} WHERE password_hash LIKE '$argon2id$%,keyid=%' GROUP BY 1 ORDER BY 1`
}

function idOf(pepper: string | null): number {
  return Buffer.from(pepper ?? '', 'base64')[0] ?? -1
}
