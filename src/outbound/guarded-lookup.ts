// Which address a connection of ours may go to, decided by whoever makes it at the moment it is made.

import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { hostOf } from './outbound-url.ts'

export type MayReach = (address: string) => boolean

/** The code of the error that a look-up ends with when no address may be reached. */
export const ADDRESS_REFUSED = 'address_refused'

/**
 * A look-up that gives out only addresses that may be reached. The connection uses exactly these,
 * so it does not matter if the name resolves to others a moment later.
 */
export function guardLookup(mayReach: MayReach): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found = []) => {
      const addresses = found.filter(({ address }) => mayReach(address))
      const [first] = addresses
      if (error) callback(error, '')
      else if (!first) callback(Object.assign(new Error('refused'), { code: ADDRESS_REFUSED }), '')
      else if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

/** Whether the URL names an address that may not be reached; no look-up would be asked about it. */
export function namesRefusedAddress(url: URL, mayReach: MayReach): boolean {
  const host = hostOf(url)
  return isIP(host) !== 0 && !mayReach(host)
}
