// A query as a function that gives only the rows.

import type pg from 'pg'

export type PlainQuery = <R extends pg.QueryResultRow>(
  text: string,
  values?: unknown[],
) => Promise<R[]>

/** `timeoutMs` replaces the pool's own time-out, which is meant for requests. */
export function openPlainQuery(target: pg.Pool | pg.PoolClient, timeoutMs?: number): PlainQuery {
  return async <R extends pg.QueryResultRow>(text: string, values?: unknown[]) => {
    const timeout = timeoutMs === undefined ? {} : { query_timeout: timeoutMs }
    const parameters = values === undefined ? {} : { values }
    const result = await target.query<R>({ text, ...parameters, ...timeout })
    return result.rows
  }
}
