// SQL by hand, as its rows alone.

import type pg from 'pg'

export type PlainQuery = <R extends pg.QueryResultRow>(
  text: string,
  values?: unknown[],
) => Promise<R[]>

/** `timeoutMs` lifts the pool's own, which is made for requests. */
export function openPlainQuery(target: pg.Pool | pg.PoolClient, timeoutMs?: number): PlainQuery {
  return async <R extends pg.QueryResultRow>(text: string, values?: unknown[]) => {
    const timeout = timeoutMs === undefined ? {} : { query_timeout: timeoutMs }
    const parameters = values === undefined ? {} : { values }
    const result = await target.query<R>({ text, ...parameters, ...timeout })
    return result.rows
  }
}
