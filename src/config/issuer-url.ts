// LINEAGE_ISSUER: the name that stands in every token. Verifiers compare it character by
// character (RFC 8414 §3.3), so only a spelling that a URL parser leaves alone is taken.

import { BadValue, isLoopbackHost } from './config-values.ts'

/** The issuer exactly as given. */
export function parseIssuer(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new BadValue('must be an https URL')
  }
  const url = new URL(text)
  if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) {
    throw new BadValue('must use https, because its host is not a loopback one')
  }
  if (url.username !== '' || url.password !== '' || text.includes('@')) {
    throw new BadValue('must not carry a user name or password')
  }
  if (/[?#]/.test(text)) throw new BadValue('must have neither query nor fragment (RFC 8414 §2)')
  if (text.endsWith('/')) throw new BadValue('must not end with a slash')
  if (url.href !== text && url.href !== `${text}/`) {
    throw new BadValue('must be in normal form: lower-case host, no default port, no dot segments')
  }
  // Other characters could have a meaning for the router or for a proxy.
  if (!/^\/(?:[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*)?$/.test(url.pathname)) {
    throw new BadValue('must have a path of letters, digits and . _ ~ - only')
  }
  return text
}
