// One connection to PostgreSQL as Lineage uses it: with our settings, a deadline for every
// statement, and no commit for a caller that was told that the work failed. A server that was
// frozen executes, when it wakes, everything that had arrived before. So whatever writes is a
// transaction whose COMMIT is sent only after all statements before it were answered in time; and
// together with the COMMIT goes a check, by the server's own clock, that it is not too late.

import type pg from 'pg'
import type { WatchCall } from '../runtime/call-watch.ts'
import { afterDeadline, DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'
import { StartError } from '../runtime/start-error.ts'
import { codeOf, isAnswer, isUnwritable, noteFailure, TIMED_OUT } from './database-failure.ts'
import { remainingMs } from './database-scope.ts'
import { settingCalls } from './session-settings.ts'
import { operationOf } from './sql-operation.ts'

/** With a time-out of its own, for statements that may take longer than a request allows. */
export interface BoundedQuery extends pg.QueryConfig {
  readonly query_timeout?: number
}

type Send = (query: BoundedQuery) => Promise<pg.QueryResult>

export interface ConnectionOptions {
  readonly schema: string
  /** Told of every write: whether it went through, or the server takes none. */
  readonly onWrite: (outcome: 'written' | 'refused', code?: string) => void
  /** Told that the server has answered, whatever it answered. */
  readonly onAnswer: () => void
  /** Told of every message to the server, by its first verb. */
  readonly watch: WatchCall
}

interface Managed extends ConnectionOptions {
  readonly client: pg.Client
  readonly send: Send
  /** Behind a pooler that may give every transaction another connection to the server. */
  readonly isPooled: boolean
  hasWritten: boolean
}

const READ = /^\s*(SELECT|SHOW)\b/i
const BEGIN = /^\s*(BEGIN|START\s+TRANSACTION)\b[^;]*;?\s*$/i
const COMMIT = /^\s*(COMMIT|END)\b[^;]*;?\s*$/i
/** SQLSTATE division_by_zero, which is how a transaction that is too late fails. */
const TOO_LATE = '22012'
const IS_IN_TIME = `SELECT 1 / (extract(epoch FROM clock_timestamp())
  < current_setting('lineage.commit_by')::numeric)::int`

/**
 * Makes a new connection ours, before anybody is given it. Throws StartError when the database
 * cannot hold every text.
 */
export async function prepareConnection(
  client: pg.Client,
  options: ConnectionOptions,
): Promise<void> {
  const send = bindSend(client, options)
  // A pooler is recognised by the process id that it makes up for the client. Behind one, a session
  // setting would stay on the server's connection and apply to the statements of other clients.
  const isOurs = `pg_backend_pid() = ${Number(Reflect.get(client, 'processID'))}`
  const settings = settingCalls(options.schema, 'session').map(
    (call) => `CASE WHEN ${isOurs} THEN ${call} END`,
  )
  const { rows } = await send({
    text: `SELECT ${isOurs} AS "isOurs", current_setting('server_encoding') AS encoding,
      ${settings.join(', ')}`,
  })
  const { isOurs: isDirect, encoding } = rows[0] as { isOurs: boolean; encoding: string }
  if (encoding !== 'UTF8') {
    throw new StartError(
      `the database is encoded in ${encoding}, which cannot hold every name; make one with ` +
        'createdb --encoding=UTF8 --template=template0',
    )
  }
  const managed: Managed = { ...options, client, send, isPooled: !isDirect, hasWritten: false }
  const query = (text: string | BoundedQuery, values?: unknown[]) =>
    run(managed, toQuery(text, values))
  client.query = query as typeof client.query
}

function toQuery(given: string | BoundedQuery, values: unknown[] | undefined): BoundedQuery {
  const query = typeof given === 'string' ? { text: given } : given
  return values === undefined ? query : { ...query, values }
}

/**
 * Sends one statement within what is left of the caller's time; an unanswered one ends the rest.
 */
function bindSend(client: pg.Client, { onAnswer, watch }: ConnectionOptions): Send {
  const submit = client.query.bind(client) as Send
  return async ({ query_timeout: ownMs = DEPENDENCY_DEADLINE_MS, ...query }) => {
    const limitMs = Math.min(ownMs, remainingMs())
    if (limitMs <= 0) throw timedOut()
    let isLate = false
    const ended = watch(operationOf(query.text))
    let failed = true
    const cancel = afterDeadline(limitMs, () => {
      isLate = true
      // Closes the connection: the server rolls back when it notices, and is never sent the COMMIT.
      void client.end()
    })
    try {
      const result = await submit(query)
      failed = false
      onAnswer()
      return result
    } catch (error) {
      const failure = isLate ? timedOut() : error
      failed = isLate || !isAnswer(error)
      if (!isLate && isAnswer(error)) onAnswer()
      noteFailure(failure)
      throw failure
    } finally {
      cancel()
      ended(failed)
    }
  }
}

async function run(managed: Managed, query: BoundedQuery): Promise<pg.QueryResult> {
  const { client, isPooled } = managed
  if (client.getTransactionStatus() !== 'I') {
    if (COMMIT.test(query.text)) return await commit(managed, query)
    if (!READ.test(query.text)) managed.hasWritten = true
    return await sendNoted(managed, query)
  }
  if (BEGIN.test(query.text)) return await begin(managed, query)
  const isRead = READ.test(query.text)
  if (isRead && !isPooled) return await managed.send(query)
  await begin(managed, query)
  managed.hasWritten = !isRead
  const result = await sendNoted(managed, query).catch(async (error: unknown) => {
    await managed.send({ text: 'ROLLBACK' }).catch(() => void client.end())
    throw error
  })
  await commit(managed, query)
  return result
}

/** Always READ COMMITTED, because rows are locked before they are decided upon. */
async function begin(managed: Managed, { query_timeout }: BoundedQuery): Promise<pg.QueryResult> {
  managed.hasWritten = false
  const timeoutMs = Math.max(0, Math.min(query_timeout ?? Infinity, remainingMs()))
  const commitBy = `extract(epoch FROM clock_timestamp()) + ${(timeoutMs / 1_000).toFixed(3)}`
  const settings = managed.isPooled ? settingCalls(managed.schema, 'transaction') : []
  const statements = [
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    `SELECT ${[`set_config('lineage.commit_by', (${commitBy})::text, true)`, ...settings].join(', ')}`,
  ]
  return await sendAll(managed, statements, query_timeout)
}

async function commit(managed: Managed, { query_timeout }: BoundedQuery): Promise<pg.QueryResult> {
  if (managed.client.getTransactionStatus() === 'E') {
    // Prisma sends COMMIT also after a statement that has failed; the server then rolls back.
    return await managed.send({ text: 'COMMIT' })
  }
  try {
    const result = await sendAll(managed, [IS_IN_TIME, 'COMMIT'], query_timeout)
    if (managed.hasWritten) managed.onWrite('written')
    return result
  } catch (error) {
    if (codeOf(error) !== TOO_LATE) throw error
    const failure = timedOut()
    noteFailure(failure)
    throw failure
  }
}

async function sendNoted(managed: Managed, query: BoundedQuery): Promise<pg.QueryResult> {
  try {
    return await managed.send(query)
  } catch (error) {
    if (isUnwritable(error)) managed.onWrite('refused', codeOf(error))
    throw error
  }
}

/** Several statements in one message; the result is the last one's. */
async function sendAll(
  { send }: Managed,
  statements: readonly string[],
  timeoutMs: number | undefined,
): Promise<pg.QueryResult> {
  const bound = timeoutMs === undefined ? {} : { query_timeout: timeoutMs }
  const results: unknown = await send({ text: statements.join('; '), ...bound })
  return (Array.isArray(results) ? results.at(-1) : results) as pg.QueryResult
}

/** Has the SQLSTATE of a statement that PostgreSQL itself cancels by its statement_timeout. */
export function timedOut(): Error {
  const error = new Error('the deadline has passed')
  return Object.assign(error, { code: TIMED_OUT, severity: 'ERROR' })
}
