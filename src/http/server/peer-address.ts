// Who is at the other end: the socket's address or, as far as LINEAGE_TRUST_PROXY goes, the one
// that trusted proxies have written into X-Forwarded-For.

import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv4 } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { parseIpAddress } from '../../runtime/ip-address.ts'
import { trimBlanks } from '../../runtime/trim-blanks.ts'

/**
 * Addresses of X-Forwarded-For that are looked at; more trusted proxies in a row would be a loop.
 */
const HOPS_MAX = 32

declare module 'fastify' {
  interface FastifyInstance {
    readonly isTrustedProxy: (address: string) => boolean
  }
}

/** `networks` are CIDR ranges, as LINEAGE_TRUST_PROXY was read. */
export function trustProxies(app: FastifyInstance, networks: readonly string[]): void {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), familyOf(address))
  }
  // Without a proxy, nothing is asked of the list, which costs more than all the rest of this file.
  const isTrusted = (address: string) => list.check(address, familyOf(address))
  app.decorate('isTrustedProxy', networks.length === 0 ? () => false : isTrusted)
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

/**
 * The nearest address that no trusted proxy has. An entry is believed only when the proxy that
 * wrote it is trusted. Something that is no address ends the search, and the address before it
 * counts.
 */
export function peerAddressOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  { isTrustedProxy }: Pick<FastifyInstance, 'isTrustedProxy'>,
): string {
  let address = parseIpAddress(socket.remoteAddress ?? '')
  if (address === undefined || !isTrustedProxy(address)) return address ?? ''
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join()
  // RFC 9110 §5.6.1: empty elements of a list count for nothing.
  const hops = forwarded.split(',').filter((hop) => trimBlanks(hop) !== '')
  for (const hop of hops.slice(-HOPS_MAX).reverse()) {
    const before = parseIpAddress(hop)
    if (before === undefined) return address
    address = before
    if (!isTrustedProxy(address)) return address
  }
  return address
}
