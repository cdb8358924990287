// Where keys may be published, as far as a URL shows. What its host name resolves to is checked at each
// look (fetch-jwks.ts).

import { isIP } from 'node:net'
import { type MayReach, namesRefusedAddress } from '../outbound/guarded-lookup.ts'
import { findUrlFault, hostOf } from '../outbound/outbound-url.ts'
import { isLoopbackAddress, isPublicAddress } from '../outbound/public-address.ts'

/** Why the URL is refused, or undefined. Never repeats it. */
export function findJwksUriProblem(text: string, allowPrivateNetwork: boolean): string | undefined {
  const fault = findUrlFault(text)
  if (fault !== undefined) return fault
  const url = new URL(text)
  if (isLoopbackHttp(url) && allowPrivateNetwork) return undefined
  // Whoever is on the way could put a key of his own there.
  if (url.protocol !== 'https:') return 'must be an https URL'
  return namesRefusedAddress(url, mayReachFor(url, allowPrivateNetwork))
    ? 'must not name a private address unless allowPrivateNetwork is true'
    : undefined
}

/** Plain http never leaves this machine, whatever a name resolves to. */
export function mayReachFor(url: URL, allowPrivateNetwork: boolean): MayReach {
  if (url.protocol !== 'https:') return isLoopbackAddress
  return allowPrivateNetwork ? () => true : isPublicAddress
}

function isLoopbackHttp(url: URL): boolean {
  const host = hostOf(url)
  const isLoopback = isIP(host) === 0 ? host === 'localhost' : isLoopbackAddress(host)
  return url.protocol === 'http:' && isLoopback
}
