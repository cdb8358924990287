// The first query at a start. A refusal ends the start at once, with the server's own words,
// because waiting does not mend a wrong password; a server that is silent or still starting is
// waited for.

import type pg from 'pg'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'

// Connections lost, resources, a standby before its promotion, conflicts, a server that starts or
// stops. 08P01 is how PgBouncer speaks of a server that it cannot reach, and of its own refusals.
const PASSING_SQLSTATE = /^(08...|25006|40...|53...|55...|57...)$/
const LASTING_OF_PGBOUNCER = /unsupported startup parameter|no such (user|database)|not allowed/i
const PASSING_ERRNO = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/
const PASSING_MESSAGE = /timeout|Connection terminated/i
// A missing table or column, as PostgreSQL and Prisma report it.
const LACKS_TABLES = /^(42P01|42703|P2021|P2022)$/
const MESSAGE_MAX = 300

/** The server answers, but refuses the login or the tables. */
export class DatabaseRefused extends StartError {
  override name = 'DatabaseRefused'
  /** The server's message, with its code. */
  readonly said: string

  constructor(said: string, options?: ErrorOptions) {
    super(`PostgreSQL refuses: ${said}; \`lineage doctor\` says what to do`, options)
    this.said = said
  }
}

/**
 * Resolves when the server has answered a query; rejects with what `toStartFailure` makes of the
 * error.
 */
export async function contactDatabase(pool: Pick<pg.Pool, 'query'>): Promise<void> {
  await pool.query('SELECT 1').catch((error: unknown) => {
    throw toStartFailure(error)
  })
}

/** Rejects with a StartError when the tables are missing, or we may not read them. */
export async function checkTables(pool: Pick<pg.Pool, 'query'>): Promise<void> {
  await pool.query('SELECT name, version FROM table_versions LIMIT 1').catch((error: unknown) => {
    throw toStartFailure(error)
  })
}

/** What to say where tables, columns or rights are missing; undefined for every other error. */
export function describeLack(error: unknown): StartError | undefined {
  const code = codeOf(error)
  if (code === undefined || !(error instanceof Error)) return undefined
  if (code === '42501')
    return new DatabaseRefused(`${clean(error.message)} (${code})`, { cause: error })
  if (!LACKS_TABLES.test(code)) return undefined
  return new StartError(
    'the database lacks tables of this release (`lineage migrate` makes them, or a start with ' +
      'LINEAGE_MIGRATE=auto)',
    { cause: error },
  )
}

/** DependencyUnavailable for what is worth waiting for, a StartError for everything else. */
function toStartFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TypeError) return error
  if (error instanceof StartError || error instanceof DependencyUnavailable) return error
  const lack = describeLack(error)
  if (lack) return lack
  const code = codeOf(error)
  const said = clean(error.message)
  if (isTemporary(error, code)) return new DependencyUnavailable('postgresql', code ?? said)
  return new DatabaseRefused(code === undefined ? said : `${said} (${code})`, { cause: error })
}

function codeOf(error: unknown): string | undefined {
  const has = error instanceof Error && 'code' in error
  return has && typeof error.code === 'string' ? error.code : undefined
}

function isTemporary(error: Error, code: string | undefined): boolean {
  if (code === undefined) return PASSING_MESSAGE.test(error.message)
  if (/^[0-9A-Z]{5}$/.test(code) && 'severity' in error) {
    return PASSING_SQLSTATE.test(code) && !LASTING_OF_PGBOUNCER.test(error.message)
  }
  // A missing socket may still appear; a missing file, such as a certificate, is a wrong setting.
  if (code === 'ENOENT') return 'syscall' in error && error.syscall === 'connect'
  return PASSING_ERRNO.test(code)
}

/** The message on one line, without control characters and of bounded length. */
function clean(message: string): string {
  return message.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, MESSAGE_MAX)
}
