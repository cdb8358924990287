// Pages of lists that are ordered by a moment and then by id: which rows a page has, and the opaque
// cursor that names the last one. Rows that come or go meanwhile move nothing to another page.

import { guardDatabase } from './database.ts'

const CURSOR_LENGTH_MAX = 256

/** Where a row stands in its list. */
export interface PageKey {
  readonly at: Date
  readonly id: string
}

export interface PageRequest {
  readonly limit: number
  /** Only rows that come after this one in the order of the list. */
  readonly after: PageKey | undefined
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Null on the last page. */
  readonly nextCursor: string | null
}

/** The column of the moment, and which of two rows comes first; `id` decides within one moment. */
export interface ListOrder<Column extends string> {
  readonly column: Column
  readonly direction: 'asc' | 'desc'
}

export const OLDEST_FIRST = { column: 'createdAt', direction: 'asc' } as const
export const NEWEST_FIRST = { column: 'createdAt', direction: 'desc' } as const

/**
 * What to read, as Prisma takes it, one after the other until there is enough: the rest of the moment
 * at which the page before ended, then what comes later. Each is one range of an index on moment and
 * id; both as one condition would be read from the start of the list, or of that moment.
 */
function toQueries<Column extends string, Where extends object>(
  { column, direction }: ListOrder<Column>,
  after: PageKey | undefined,
  where: Where,
) {
  const moment = <T>(value: T) => ({ [column]: value }) as Record<Column, T>
  const isAfter = <T>(value: T) => (direction === 'asc' ? { gt: value } : { lt: value })
  const ranges = after && [
    { ...moment(after.at), id: isAfter(after.id) },
    moment(isAfter(after.at)),
  ]
  return (ranges ?? [{}]).map((range) => ({
    where: { AND: [where, range] },
    orderBy: [moment(direction), { id: direction }],
  }))
}

type RangeQuery<Column extends string, Where extends object> = ReturnType<
  typeof toQueries<Column, Where>
>[number] & { readonly take: number }

/** A list in a table. `find` is Prisma's `findMany`, and `toItem` makes an item of a row. */
export interface ListedTable<Column extends string, Where extends object, Row, Item> {
  readonly order: ListOrder<Column>
  readonly where: Where
  readonly find: (query: RangeQuery<Column, Where>) => PromiseLike<readonly Row[]>
  readonly toItem: (row: Row) => Item
}

/** One page of the rows that `where` describes; rejects with DependencyUnavailable. */
export async function readPage<
  Column extends string,
  Where extends object,
  Row extends Record<Column, Date> & { readonly id: string },
  Item,
>(
  request: PageRequest,
  { order, where, find, toItem }: ListedTable<Column, Where, Row, Item>,
): Promise<Page<Item>> {
  const rows: Row[] = []
  for (const query of toQueries(order, request.after, where)) {
    // One more than the page has says that another page follows.
    const take = request.limit + 1 - rows.length
    if (take > 0) rows.push(...(await guardDatabase(async () => await find({ ...query, take }))))
  }
  return toPage(rows, request, (row) => ({ at: row[order.column], id: row.id }), toItem)
}

/** The same of rows that are at hand, oldest first. */
export function takePage<Row>(
  rows: readonly Row[],
  request: PageRequest,
  keyOf: (row: Row) => PageKey,
): Page<Row> {
  const { after } = request
  const rest = rows.filter((row) => after === undefined || compareKeys(keyOf(row), after) > 0)
  return toPage(rest, request, keyOf, (row) => row)
}

/** The same page with each item made into another. */
export function mapPage<Item, Other>(
  { items, nextCursor }: Page<Item>,
  toOther: (item: Item) => Other,
): Page<Other> {
  return { items: items.map(toOther), nextCursor }
}

/** The page of the rows that were read for it: one more than it has, if another one follows. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  { limit }: PageRequest,
  keyOf: (row: Row) => PageKey,
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const nextCursor = rows.length > limit && last ? formatCursor(keyOf(last)) : null
  return { items: shown.map(toItem), nextCursor }
}

function compareKeys(one: PageKey, other: PageKey): number {
  return (
    one.at.getTime() - other.at.getTime() || (one.id < other.id ? -1 : Number(one.id > other.id))
  )
}

function formatCursor({ at, id }: PageKey): string {
  return Buffer.from(`${at.getTime()} ${id}`).toString('base64url')
}

/** Undefined for what no page gave out. Whether a row of the list can have the id is not looked at. */
export function parseCursor(cursor: string): PageKey | undefined {
  if (cursor.length > CURSOR_LENGTH_MAX) return undefined
  const decoded = Buffer.from(cursor, 'base64url')
  const parts = /^(0|[1-9]\d{0,14}) ([\x21-\x7e]{1,128})$/.exec(decoded.toString('latin1'))
  const [, ms, id] = parts ?? []
  // Otherwise many texts would be one cursor.
  const isCanonical = decoded.toString('base64url') === cursor
  if (!isCanonical || ms === undefined || id === undefined) return undefined
  return { at: new Date(Number(ms)), id }
}

/**
 * Reads all pages of a list in turn, each with `read` from the last row of the page before it, until
 * one is not full.
 */
export async function* eachPage<Row, Last>(
  size: number,
  start: Last,
  read: (last: Last | Row) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[], void, void> {
  for (let last: Last | Row = start; ; ) {
    const page = await read(last)
    const end = page.at(-1)
    if (end === undefined) return
    yield page
    if (page.length < size) return
    last = end
  }
}
