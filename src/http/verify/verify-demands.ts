// What a gateway demands of a request at /verify (docs/semantics.md §10). Demands are read from one
// place only, and refused where they could be read in two ways: a demand that is overlooked would
// let somebody in who must not pass.

import type { IncomingHttpHeaders } from 'node:http'
import { SCOPE_TOKEN } from '../../oauth/scope.ts'

export interface Demands {
  /** All of them are needed. */
  readonly scopes: readonly string[]
  /** One of them is needed; without any, every audience will do. */
  readonly audiences: readonly string[]
  /** Whether the access cookie may stand in for the Authorization header. */
  readonly acceptsCookie: boolean
}

const NAMES: ReadonlySet<string> = new Set(['scope', 'audience', 'cookie'])

/** By the demand's name in the query. */
const HEADERS = {
  scope: 'x-auth-require-scope',
  audience: 'x-auth-require-audience',
  cookie: 'x-auth-cookie',
} as const

/** A URI has no other characters (RFC 3986 §2). */
const AUDIENCE = /^[\x21-\x7e]+$/

/** The demands of exact /verify; undefined unless all of the query is one clean set of them. */
export function parseQueryDemands(target: string): Demands | undefined {
  // A request target has no fragment, so others may read such a target otherwise than we do.
  if (target.includes('#')) return undefined
  const start = target.indexOf('?')
  const pairs = start < 0 ? [] : target.slice(start + 1).split('&')
  const given = new Map<string, string>()
  for (const pair of pairs.filter((text) => text !== '')) {
    const equals = pair.indexOf('=')
    const name = decodeComponent(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decodeComponent(pair.slice(equals + 1))
    // An unknown name may be a misspelt demand.
    if (name === undefined || value === undefined || !NAMES.has(name)) return undefined
    if (given.has(name)) return undefined
    given.set(name, value)
  }
  return readDemands(given)
}

/** The demands of /verify/*; undefined when one was given twice or cannot be read. */
export function parseHeaderDemands(headers: IncomingHttpHeaders): Demands | undefined {
  const given = new Map<string, string>()
  for (const [name, header] of Object.entries(HEADERS)) {
    const values = [headers[header] ?? []].flat()
    // Node.js joins repeated headers with a comma; a proxy may have done so before.
    if (values.length > 1 || values[0]?.includes(',')) return undefined
    if (values[0] !== undefined) given.set(name, values[0])
  }
  return readDemands(given)
}

function readDemands(given: ReadonlyMap<string, string>): Demands | undefined {
  const scopes = readWords(given.get('scope'), SCOPE_TOKEN)
  const audiences = readWords(given.get('audience'), AUDIENCE)
  const cookie = given.get('cookie')
  if (!scopes || !audiences || (cookie !== undefined && cookie !== '1')) return undefined
  return { scopes, audiences, acceptsCookie: cookie === '1' }
}

/** Undefined also for an empty demand, which is more likely an unset variable than no demand. */
function readWords(text: string | undefined, word: RegExp): readonly string[] | undefined {
  if (text === undefined) return []
  const words = text.split(' ').filter((one) => one !== '')
  return words.length > 0 && words.every((one) => word.test(one)) ? words : undefined
}

function decodeComponent(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
