// What a connection must be like for our statements to mean what they say, whatever the server, the
// database or the role have as their defaults.

import pg from 'pg'
import { DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'

/** Below our own deadline, so that the server cancels a statement before we give up on it. */
const STATEMENT_TIMEOUT_MS = DEPENDENCY_DEADLINE_MS - 100
/** How long the locks of an instance stay that lost its connection within a transaction. */
const IDLE_IN_TRANSACTION_MS = 5_000

/**
 * `default_transaction_read_only` is not set: an operator who sets it means it. The time zone must
 * be UTC, because Prisma sends and reads times without a zone.
 */
function settingsFor(schema: string): Readonly<Record<string, string>> {
  return {
    client_encoding: 'UTF8',
    TimeZone: 'UTC',
    DateStyle: 'ISO, YMD',
    IntervalStyle: 'postgres',
    standard_conforming_strings: 'on',
    bytea_output: 'hex',
    extra_float_digits: '1',
    array_nulls: 'on',
    transform_null_equals: 'off',
    default_transaction_isolation: 'read committed',
    default_transaction_deferrable: 'off',
    statement_timeout: String(STATEMENT_TIMEOUT_MS),
    lock_timeout: String(STATEMENT_TIMEOUT_MS),
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
    search_path: pg.escapeIdentifier(schema),
  }
}

/** Time-outs that only newer servers have. They would end idle connections and long migrations. */
const NEVER_IN_TIME = ['idle_session_timeout', 'transaction_timeout']

/** As calls for a SELECT: for the whole session, or until the transaction ends. */
export function settingCalls(schema: string, scope: 'session' | 'transaction'): string[] {
  const isLocal = scope !== 'session'
  const call = (name: string, value: string) =>
    `set_config('${name}', ${pg.escapeLiteral(value)}, ${isLocal})`
  return [
    ...Object.entries(settingsFor(schema)).map(([name, value]) => call(name, value)),
    ...NEVER_IN_TIME.map(
      (name) =>
        `CASE WHEN current_setting('${name}', true) IS NOT NULL THEN ${call(name, '0')} END`,
    ),
  ]
}
