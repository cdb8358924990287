// Addresses as proxies, gateways and sockets write them, brought to one spelling, because two
// spellings would be two sources to whoever counts or searches by address.

import { isIPv4, isIPv6 } from 'node:net'
import { trimBlanks } from './trim-blanks.ts'

/** Longer than any form that is accepted, such as `for="[…%zone]:65535"`. */
const LENGTH_MAX = 80
/** RFC 7239 §4 and §6: proxies copy a node with its name, its quotation marks and its port. */
const NAMED = /^for=/i
const QUOTED = /^"(.*)"$/
const BRACKETED = /^\[([^\]]*)\](?::\d{1,5})?$/
const IPV4_WITH_PORT = /^([\d.]+):\d{1,5}$/
/** A zone (RFC 4007 §11) names an interface of one machine, and means nothing elsewhere. */
const ZONE = /%[\w.~-]{1,16}$/
/** An IPv4 address within an IPv6 one, as the URL parser writes it. */
const MAPPED_IPV4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/**
 * The address in the text, without port, zone or brackets: IPv6 as RFC 5952 writes it, an IPv4
 * address within IPv6 (RFC 4291 §2.5.5.2) as IPv4. Undefined for anything else.
 */
export function parseIpAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  const trimmed = trimBlanks(text)
  if (trimmed.length > LENGTH_MAX) return undefined
  const node = trimmed.replace(NAMED, '').replace(QUOTED, '$1')
  const bracketed = BRACKETED.exec(node)?.[1]
  const host = (bracketed ?? IPV4_WITH_PORT.exec(node)?.[1] ?? node).replace(ZONE, '')
  if (isIPv6(host) && !host.includes('%')) return canonicalIpv6(host)
  // An IPv4 address has neither brackets nor a zone.
  return isIPv4(host) && bracketed === undefined && !node.includes('%') ? host : undefined
}

/** Whether it is of this machine itself: 127.0.0.0/8 (RFC 1122 §3.2.1.3) or ::1. */
export function isLoopbackAddress(text: string): boolean {
  const address = parseIpAddress(text)
  return address === '::1' || (address?.startsWith('127.') ?? false)
}

function canonicalIpv6(address: string): string {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = MAPPED_IPV4.exec(text) ?? []
  if (high === undefined || low === undefined) return text
  const bits = [high, low].map((group) => Number.parseInt(group, 16))
  return bits.flatMap((group) => [group >> 8, group & 0xff]).join('.')
}
