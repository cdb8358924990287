// Where a webhook may point, as far as its URL shows. What its host name resolves to is checked at
// each attempt.

import { namesRefusedAddress } from '../outbound/guarded-lookup.ts'
import { findUrlFault } from '../outbound/outbound-url.ts'
import { isPublicAddress } from '../outbound/public-address.ts'

/** Why the URL is refused, or undefined. Never repeats the URL, which may hold a secret. */
export function findUrlProblem(text: string, allowPrivateNetwork: boolean): string | undefined {
  const fault = findUrlFault(text)
  if (fault !== undefined) return fault
  const url = new URL(text)
  if (allowPrivateNetwork) {
    return /^https?:$/.test(url.protocol) ? undefined : 'must be an https or http URL'
  }
  if (url.protocol !== 'https:') return 'must be an https URL unless allowPrivateNetwork is true'
  return namesRefusedAddress(url, isPublicAddress)
    ? 'must not name a private address unless allowPrivateNetwork is true'
    : undefined
}
