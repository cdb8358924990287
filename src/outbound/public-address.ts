// Which addresses are those of the public internet. Anything else could be a machine behind our own
// firewall that trusts us, so nothing that somebody else names leads there.

import { BlockList, isIPv4, isIPv6 } from 'node:net'

// The IANA registry of special-purpose addresses (RFC 6890), and multicast.
const NOT_PUBLIC_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]
/**
 * Only global unicast is public; IPv4-mapped addresses and NAT64, for example, lie outside of it.
 */
const UNICAST_IPV6 = ['2000::/3']
// Within it: protocol assignments such as Teredo, documentation, and 6to4, which wraps IPv4
// addresses.
const NOT_PUBLIC_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const LOOPBACK_IPV4 = ['127.0.0.0/8']
const LOOPBACK_IPV6 = '::1'

const notPublicIpv4 = listOf(NOT_PUBLIC_IPV4, 'ipv4')
const loopbackIpv4 = listOf(LOOPBACK_IPV4, 'ipv4')
const unicastIpv6 = listOf(UNICAST_IPV6, 'ipv6')
const notPublicIpv6 = listOf(NOT_PUBLIC_IPV6, 'ipv6')

/** False too for what is no address, or has a zone. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublicIpv4.check(address, 'ipv4')
  if (!isIPv6(address) || address.includes('%')) return false
  return unicastIpv6.check(address, 'ipv6') && !notPublicIpv6.check(address, 'ipv6')
}

/** This machine itself, as a socket names it. */
export function isLoopbackAddress(address: string): boolean {
  return isIPv4(address) ? loopbackIpv4.check(address, 'ipv4') : address === LOOPBACK_IPV6
}

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/')
    list.addSubnet(network, Number(prefix), family)
  }
  return list
}
