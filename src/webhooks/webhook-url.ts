// Where a webhook may point, as far as its URL shows. What its host name resolves to is checked at
// each attempt.

import { isIP } from 'node:net'
import { isPublicAddress } from './public-address.ts'

const URL_LENGTH_MAX = 2048
const PRINTABLE = /^[^\s\p{Cc}\p{Cs}]*$/u

/** Why the URL is refused, or undefined. Never repeats the URL, which may hold a secret. */
export function findUrlProblem(text: string, allowPrivateNetwork: boolean): string | undefined {
  if (text.length > URL_LENGTH_MAX) return `must have at most ${URL_LENGTH_MAX} characters`
  // A URL parser would remove or escape them, but the URL is stored as it was given.
  if (!PRINTABLE.test(text)) return 'must not hold blanks or control characters'
  if (!URL.canParse(text)) return 'must be an absolute URL'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'must not hold credentials'
  if (url.hash !== '') return 'must not have a fragment'
  if (allowPrivateNetwork) {
    return /^https?:$/.test(url.protocol) ? undefined : 'must be an https or http URL'
  }
  if (url.protocol !== 'https:') return 'must be an https URL unless allowPrivateNetwork is true'
  const host = hostOf(url)
  return isIP(host) !== 0 && !isPublicAddress(host)
    ? 'must not name a private address unless allowPrivateNetwork is true'
    : undefined
}

/** Without the brackets of an IPv6 address. The URL parser has written numbers out as addresses. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}
