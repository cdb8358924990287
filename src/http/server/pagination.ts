// Every list of the service: a limit, and an opaque cursor that names the last row seen.

import { ApiError } from './api-error.ts'

const LIMIT_DEFAULT = 50
const LIMIT_MAX = 200
const CURSOR_LENGTH_MAX = 256

/** Where a row stands in a list that is ordered by time, then by id. */
export interface PageKey {
  readonly at: Date
  readonly id: string
}

export interface PageRequest {
  readonly limit: number
  /** Rows strictly after this one, in the order of the list. */
  readonly after: PageKey | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

export interface ListRules {
  /** The parameters of this list besides `limit` and `cursor`, whose values the caller checks. */
  readonly filters?: readonly string[]
  /** Whether a row of this list can have the id: a database may choke on another one. */
  readonly isId?: (id: string) => boolean
}

/**
 * Reads `limit` and `cursor`; throws ApiError 400 for a value that no list gave out, and for any
 * parameter that is not of this list: a filter that is misspelt would answer with everything.
 */
export function parsePageRequest(query: unknown, rules: ListRules = {}): PageRequest {
  const { filters = [], isId = () => true } = rules
  const known = ['limit', 'cursor', ...filters]
  if (!Object.keys(query as Record<string, unknown>).every((name) => known.includes(name))) {
    // What was sent is not repeated, in case it is no name at all.
    const detail = `The query parameters here are ${known.join(', ')}.`
    throw new ApiError('invalid_query', { detail })
  }
  const { limit, cursor } = query as Record<string, unknown>
  return {
    limit: limit === undefined ? LIMIT_DEFAULT : parseLimit(limit),
    after: cursor === undefined ? undefined : parseCursor(cursor, isId),
  }
}

/** Builds the page from up to `limit + 1` rows: the extra one only says that there is more. */
export function buildPage<Row, Item>(
  rows: readonly Row[],
  request: PageRequest,
  keyOf: (row: Row) => PageKey,
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, request.limit)
  const last = shown.at(-1)
  const nextCursor = rows.length > request.limit && last ? formatCursor(keyOf(last)) : null
  return { items: shown.map(toItem), nextCursor }
}

function parseLimit(text: unknown): number {
  const limit = typeof text === 'string' && /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > LIMIT_MAX) {
    throw new ApiError('invalid_query', { detail: `limit must be 1 to ${LIMIT_MAX}.` })
  }
  return limit
}

function formatCursor(key: PageKey): string {
  return Buffer.from(`${key.at.getTime()} ${key.id}`).toString('base64url')
}

function parseCursor(text: unknown, isId: (id: string) => boolean): PageKey {
  if (typeof text !== 'string' || text.length > CURSOR_LENGTH_MAX) {
    throw new ApiError('invalid_cursor')
  }
  const decoded = Buffer.from(text, 'base64url')
  const parts = /^(\d{1,15}) ([\x21-\x7e]{1,128})$/.exec(decoded.toString('latin1'))
  const [, ms, id] = parts ?? []
  const isCanonical = decoded.toString('base64url') === text
  if (!isCanonical || ms === undefined || id === undefined || !isId(id)) {
    throw new ApiError('invalid_cursor')
  }
  return { at: new Date(Number(ms)), id }
}
