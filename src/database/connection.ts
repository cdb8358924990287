// One connection to PostgreSQL as Lineage uses it: its settings are ours, every statement is bounded,
// and nothing commits for a caller who has been told that it did not.
//
// A server that was frozen works off, when it wakes, whatever had arrived by then. So everything that
// writes is a transaction whose COMMIT is sent only when all before it was answered in time, and that
// COMMIT itself says until when it may be done, by the server's own clock.

import type pg from 'pg'
import { afterDeadline, DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'
import { StartError } from '../runtime/start-error.ts'
import { codeOf, isUnwritable, noteFailure } from './database-failure.ts'
import { remainingMs } from './database-scope.ts'
import { settingCalls } from './session-settings.ts'

/** A bound of its own for statements that may take longer than a request's. */
export interface BoundedQuery extends pg.QueryConfig {
  readonly query_timeout?: number
}

type Send = (query: BoundedQuery) => Promise<pg.QueryResult>

export interface ConnectionOptions {
  readonly schema: string
  /** Told of every write: whether it went through, or the server takes none. */
  readonly onWrite: (outcome: 'written' | 'refused', code?: string) => void
  /** The server has spoken, whatever it said. */
  readonly onAnswer: () => void
}

interface Governed extends ConnectionOptions {
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
  // A pooler hands out keys of its own, so it is seen without being named in the configuration. There
  // a setting would stay on the server's connection, and meet somebody else's statements.
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
  const governed: Governed = { ...options, client, send, isPooled: !isDirect, hasWritten: false }
  const query = (text: string | BoundedQuery, values?: unknown[]) =>
    run(governed, toQuery(text, values))
  client.query = query as typeof client.query
}

function toQuery(given: string | BoundedQuery, values: unknown[] | undefined): BoundedQuery {
  const query = typeof given === 'string' ? { text: given } : given
  return values === undefined ? query : { ...query, values }
}

/** Sends one statement within what is left of the caller's time; an unanswered one ends the rest. */
function bindSend(client: pg.Client, { onAnswer }: ConnectionOptions): Send {
  const submit = client.query.bind(client) as Send
  return async ({ query_timeout: ownMs = DEPENDENCY_DEADLINE_MS, ...query }) => {
    const limitMs = Math.min(ownMs, remainingMs())
    if (limitMs <= 0) throw timedOut()
    let isLate = false
    const cancel = afterDeadline(limitMs, () => {
      isLate = true
      // Cuts the wire: the server rolls back when it notices, and never hears of a COMMIT.
      void client.end()
    })
    try {
      const result = await submit(query)
      onAnswer()
      return result
    } catch (error) {
      const failure = isLate ? timedOut() : error
      noteFailure(failure)
      throw failure
    } finally {
      cancel()
    }
  }
}

async function run(governed: Governed, query: BoundedQuery): Promise<pg.QueryResult> {
  const { client, isPooled } = governed
  if (client.getTransactionStatus() !== 'I') {
    if (COMMIT.test(query.text)) return await commit(governed, query)
    if (!READ.test(query.text)) governed.hasWritten = true
    return await sendNoted(governed, query)
  }
  if (BEGIN.test(query.text)) return await begin(governed, query)
  const isRead = READ.test(query.text)
  if (isRead && !isPooled) return await governed.send(query)
  await begin(governed, query)
  governed.hasWritten = !isRead
  const result = await sendNoted(governed, query).catch(async (error: unknown) => {
    await governed.send({ text: 'ROLLBACK' }).catch(() => void client.end())
    throw error
  })
  await commit(governed, query)
  return result
}

/** Always READ COMMITTED, because rows are locked before they are decided upon. */
async function begin(governed: Governed, { query_timeout }: BoundedQuery): Promise<pg.QueryResult> {
  governed.hasWritten = false
  const timeoutMs = Math.max(0, Math.min(query_timeout ?? Infinity, remainingMs()))
  const commitBy = `extract(epoch FROM clock_timestamp()) + ${(timeoutMs / 1_000).toFixed(3)}`
  const settings = governed.isPooled ? settingCalls(governed.schema, 'transaction') : []
  const statements = [
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    `SELECT ${[`set_config('lineage.commit_by', (${commitBy})::text, true)`, ...settings].join(', ')}`,
  ]
  return await sendAll(governed, statements, query_timeout)
}

async function commit(
  governed: Governed,
  { query_timeout }: BoundedQuery,
): Promise<pg.QueryResult> {
  if (governed.client.getTransactionStatus() === 'E') {
    // What Prisma sends after a statement that it knows to have failed; the server rolls back.
    return await governed.send({ text: 'COMMIT' })
  }
  try {
    const result = await sendAll(governed, [IS_IN_TIME, 'COMMIT'], query_timeout)
    if (governed.hasWritten) governed.onWrite('written')
    return result
  } catch (error) {
    if (codeOf(error) !== TOO_LATE) throw error
    const failure = timedOut()
    noteFailure(failure)
    throw failure
  }
}

async function sendNoted(governed: Governed, query: BoundedQuery): Promise<pg.QueryResult> {
  try {
    return await governed.send(query)
  } catch (error) {
    if (isUnwritable(error)) governed.onWrite('refused', codeOf(error))
    throw error
  }
}

/** Several statements in one message; the result is the last one's. */
async function sendAll(
  { send }: Governed,
  statements: readonly string[],
  timeoutMs: number | undefined,
): Promise<pg.QueryResult> {
  const bound = timeoutMs === undefined ? {} : { query_timeout: timeoutMs }
  const results: unknown = await send({ text: statements.join('; '), ...bound })
  return (Array.isArray(results) ? results.at(-1) : results) as pg.QueryResult
}

/** With the code of a statement that PostgreSQL itself has cancelled for its time. */
function timedOut(): Error {
  const error = new Error('the deadline has passed')
  return Object.assign(error, { code: '57014', severity: 'ERROR' })
}
