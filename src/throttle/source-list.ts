// The sources that are never throttled: LINEAGE_THROTTLE_EXEMPT.

import { BlockList, isIPv4 } from 'node:net'

/** Whether an address, as `parseIpAddress` writes it, lies in one of the CIDR ranges. */
export function openSourceList(ranges: readonly string[]): (ip: string) => boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix = ''] = range.split('/')
    list.addSubnet(address, Number(prefix), familyOf(address))
  }
  return (ip) => ranges.length > 0 && list.check(ip, familyOf(ip))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}
