// The Cookie header as pairs, read once a request and in one pass: anybody can send 16 KiB of it.

import type { IncomingMessage } from 'node:http'

/** Browsers keep 180 a site at most; whoever sends more is none, and is not read at all. */
const COOKIES_MAX = 256

export interface Cookie {
  readonly name: string
  readonly value: string
}

const readBefore = new WeakMap<object, readonly Cookie[]>()

/**
 * Name and value of each cookie, in the order of the header; what has no `=` is none. Nothing of a
 * header with too many: to leave out some could leave out the second of two that have one name.
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
    const pair = trimBlanks(header.slice(start, end))
    const equals = pair.indexOf('=')
    if (equals >= 0) cookies.push({ name: pair.slice(0, equals), value: pair.slice(equals + 1) })
    if (cookies.length > COOKIES_MAX) return []
    start = end + 1
  }
  return cookies
}

/**
 * What a browser takes off around a pair (RFC 6265 §5.2), and no more. trim() also takes off U+00A0,
 * which would make a name with it one of ours: one that a browser lets any sibling host set, since
 * to the browser it does not begin with __Host-.
 */
function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
