// The Cookie header as pairs, read once a request and in one pass: anybody can send 16 KiB of it.

import type { IncomingMessage } from 'node:http'
import { trimBlanks } from '../../runtime/trim-blanks.ts'

/** Browsers keep 180 a site at most: a header with more comes from no browser and is not read. */
const COOKIES_MAX = 256

export interface Cookie {
  readonly name: string
  readonly value: string
}

const readBefore = new WeakMap<object, readonly Cookie[]>()

/**
 * Name and value of each cookie, in the order of the header; a part without `=` is no cookie. Empty
 * for a header with too many: reading only some could hide the second of two cookies of one name.
 */
export function readCookies(request: Pick<IncomingMessage, 'headers'>): readonly Cookie[] {
  const known = readBefore.get(request)
  if (known) return known
  const cookies = parseCookies(request.headers.cookie ?? '')
  readBefore.set(request, cookies)
  return cookies
}

function parseCookies(header: string): readonly Cookie[] {
  const cookies: Cookie[] = []
  for (let start = 0; start < header.length; ) {
    const semicolon = header.indexOf(';', start)
    const end = semicolon < 0 ? header.length : semicolon
    // What a browser does around a pair (RFC 6265 §5.2), and no more: a cookie named U+00A0 and `__Host-…`,
    // which a browser lets any sibling host set, would else count as one of ours.
    const pair = trimBlanks(header.slice(start, end))
    const equals = pair.indexOf('=')
    if (equals >= 0) cookies.push({ name: pair.slice(0, equals), value: pair.slice(equals + 1) })
    if (cookies.length > COOKIES_MAX) return []
    start = end + 1
  }
  return cookies
}
