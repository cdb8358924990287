// LINEAGE_TRUST_PROXY: the networks whose forwarded headers are believed.

import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { parseIpAddress } from '../runtime/ip-address.ts'
import { BadValue } from './config-values.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128'] as const
const NETWORKS_MAX = 64
/** The bits of an IPv6 network before those of an IPv4 one within it (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX = 96

/** CIDR ranges from a comma list of ranges, single addresses and the word `loopback`. */
export function parseTrustedProxies(text: string): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim())
  const networks = entries.flatMap((entry) =>
    entry === 'loopback' ? LOOPBACK : [parseNetwork(entry)],
  )
  if (networks.length > NETWORKS_MAX) {
    throw new BadValue(`must list ${NETWORKS_MAX} ranges at most, of which loopback is two`)
  }
  return networks
}

function parseNetwork(entry: string): string {
  const [text = '', length, ...rest] = entry.split('/')
  // A zone names an interface of one machine, so it makes no sense in a network.
  const bits = isIPv4(text) ? 32 : isIPv6(text) && !text.includes('%') ? 128 : 0
  const prefix = length ?? String(bits)
  const isLength = /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits
  const address = parseIpAddress(text) ?? ''
  // An IPv4 network within IPv6 is compared as IPv4.
  const ownPrefix = Number(prefix) - (isIPv4(address) && bits === 128 ? MAPPED_PREFIX : 0)
  // A length of 0 trusts everyone, which lets any caller choose its own address.
  const isNetwork = isLength && ownPrefix > 0 && rest.length === 0
  if (isNetwork && !hasAllOfIpv4(address, ownPrefix)) return `${address}/${ownPrefix}`
  throw new BadValue('must be a comma list of CIDR ranges (length 1 or more), or loopback')
}

/** Node compares an IPv4 address with IPv6 networks, too, as one within IPv6: `::/64` has all of them. */
function hasAllOfIpv4(address: string, prefix: number): boolean {
  if (isIPv4(address)) return false
  const network = new BlockList()
  network.addSubnet(address, prefix, 'ipv6')
  return prefix <= MAPPED_PREFIX && network.check('0.0.0.0')
}
