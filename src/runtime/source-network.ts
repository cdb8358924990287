// Which addresses count as one source: an IPv4 address, or the /64 that an IPv6 user is given.

import { isIPv6 } from 'node:net'

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** The text of the source; anything that is no address stays as it is. */
export function sourceNetwork(ip: string): string {
  const ipv4 = MAPPED_IPV4.exec(ip)?.[1]
  if (ipv4 !== undefined) return ipv4
  if (!isIPv6(ip) || ip.includes('%')) return ip
  // The URL parser writes every address in one way (RFC 5952), with zeros left out.
  const [head = '', tail] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::')
  const groups = head.split(':').filter(Boolean)
  const missing =
    tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length
  const all = [...groups, ...Array<string>(missing).fill('0'), ...(tail ?? '').split(':')]
  return `${all.slice(0, 4).join(':')}::/64`
}
