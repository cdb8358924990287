// Which versions of PostgreSQL the service runs on, and until when their makers mend them.

import { type Finding, fail, ok, warn } from './finding.ts'

/** The first version with gen_random_uuid(). */
const VERSION_MIN = 13
/** The newest that the tests have run on. */
const VERSION_MAX = 18

const DAY_MS = 24 * 60 * 60 * 1000
/** How long before the end one is told of it: a major upgrade is planned. */
const NOTICE_DAYS = 180

/** The day of the last release of each major version (postgresql.org/support/versioning). */
const LAST_RELEASES: Readonly<Record<number, string>> = {
  13: '2025-11-13',
  14: '2026-11-12',
  15: '2027-11-11',
  16: '2028-11-09',
  17: '2029-11-08',
  18: '2030-11-14',
}

/** What is to be said of `version`, such as `16.4 (Debian …)`, at `nowMs`. */
export function judgePostgresVersion(check: string, version: string, nowMs: number): Finding {
  const major = Number.parseInt(version, 10)
  const detail = `version ${version}`
  if (major < VERSION_MIN) return fail(check, detail, `use PostgreSQL ${VERSION_MIN} or later`)
  const last = LAST_RELEASES[major]
  if (last === undefined) {
    const advice = `nothing, if all is well: this release was tested up to ${VERSION_MAX}`
    return warn(check, `${detail}, newer than any that was tested`, advice)
  }
  const daysLeft = Math.floor((Date.parse(`${last}T00:00:00Z`) - nowMs) / DAY_MS)
  const advice = `plan the upgrade to PostgreSQL ${VERSION_MAX}`
  if (daysLeft < 0) return warn(check, `${detail}, without fixes since ${last}`, advice)
  return daysLeft < NOTICE_DAYS
    ? warn(check, `${detail}, its last fixes come on ${last}`, advice)
    : ok(check, `${detail}, mended until ${last}`)
}
