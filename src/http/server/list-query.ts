// The query of a list: `limit`, `cursor` and the filters of that list, each under its own rule. The
// rules are one table a list, from which the type of the filter follows.

import { type PageRequest, parseCursor } from '../../database/keyset-page.ts'
import { ApiError } from './api-error.ts'

const LIMIT_DEFAULT = 50
const LIMIT_MAX = 200

/** Makes a filter of what was sent for it, which is no text when it was sent twice. */
export type FilterRule<Value> = (sent: unknown, name: string) => Value

type Rules = Readonly<Record<string, FilterRule<unknown>>>

/** A rule for each filter that a list of the domain takes: none is forgotten, and none is ignored. */
export type RulesOf<Filter> = {
  readonly [Name in keyof Filter]-?: FilterRule<NonNullable<Filter[Name]>>
}

export interface ListRules<Filters extends Rules> {
  /** Whether a row of the list can have the id: a database may choke on another one. */
  readonly isId?: (id: string) => boolean
  readonly filters: Filters
}

export interface ListQuery<Filters extends Rules> {
  readonly page: PageRequest
  /** A member for each filter that was sent. */
  readonly filter: { readonly [Name in keyof Filters]?: ReturnType<Filters[Name]> }
}

/**
 * Reads the query of a list; throws ApiError 400 for a value that breaks its rule, and for any
 * parameter that is not of this list: a filter that is misspelt would answer with everything.
 */
export function readListQuery<Filters extends Rules>(
  query: unknown,
  { isId = () => true, filters }: ListRules<Filters>,
): ListQuery<Filters> {
  const sent = query as Readonly<Record<string, unknown>>
  const known = ['limit', 'cursor', ...Object.keys(filters)]
  if (!Object.keys(sent).every((name) => known.includes(name))) {
    // What was sent is not repeated, in case it is no name at all.
    const detail = `The query parameters here are ${known.join(', ')}.`
    throw new ApiError('invalid_query', { detail })
  }
  const { limit, cursor } = sent
  const page = {
    limit: limit === undefined ? LIMIT_DEFAULT : readLimit(limit),
    after: cursor === undefined ? undefined : readCursor(cursor, isId),
  }
  const values = Object.entries(filters)
    .map(([name, rule]) => [name, sent[name], rule] as const)
    .filter(([, value]) => value !== undefined)
    .map(([name, value, rule]) => [name, rule(value, name)])
  return { page, filter: Object.fromEntries(values) }
}

/** One of the words, sent once. */
export function oneOf<const Word extends string>(...words: readonly Word[]): FilterRule<Word> {
  return (sent, name) => {
    const word = words.find((each) => each === sent)
    if (word !== undefined) return word
    throw invalidFilter(name, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)
  }
}

/** Any text, sent once. */
export function anyText(sent: unknown): string {
  if (typeof sent === 'string') return sent
  throw new ApiError('invalid_query', { detail: 'A query parameter is given once.' })
}

/** A text of this form, sent once. */
export function textLike(form: RegExp, rule: string): FilterRule<string> {
  return (sent, name) => {
    if (typeof sent === 'string' && form.test(sent)) return sent
    throw invalidFilter(name, rule)
  }
}

/** The refusal of a filter, to be thrown by its rule. */
export function invalidFilter(name: string, problem: string): ApiError {
  return new ApiError('invalid_query', { detail: `${name} ${problem}.` })
}

function readLimit(sent: unknown): number {
  const limit = typeof sent === 'string' && /^\d{1,3}$/.test(sent) ? Number(sent) : 0
  if (limit >= 1 && limit <= LIMIT_MAX) return limit
  throw invalidFilter('limit', `must be 1 to ${LIMIT_MAX}`)
}

function readCursor(sent: unknown, isId: (id: string) => boolean) {
  const key = typeof sent === 'string' ? parseCursor(sent) : undefined
  if (key && isId(key.id)) return key
  throw new ApiError('invalid_cursor')
}
