// Which addresses count as one source: an IPv4 address, or the /64 that an IPv6 user is given.

import { isIPv4 } from 'node:net'
import { parseIpAddress } from './ip-address.ts'

/** The address or network that counts as the source; a text that is no address stays as it is. */
export function sourceNetwork(ip: string): string {
  const address = parseIpAddress(ip)
  if (address === undefined || isIPv4(address)) return address ?? ip
  // `::` stands for zeros, once in an address at most (RFC 5952 §4.2).
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter(Boolean)
  const missing =
    tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length
  const all = [...groups, ...Array<string>(missing).fill('0'), ...(tail ?? '').split(':')]
  return `${all.slice(0, 4).join(':')}::/64`
}
