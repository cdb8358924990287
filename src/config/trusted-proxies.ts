// LINEAGE_TRUST_PROXY: the networks whose forwarded headers are believed.

import { isIPv4, isIPv6 } from 'node:net'
import { BadValue } from './config-values.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128'] as const
const NETWORKS_MAX = 64

/** CIDR ranges from a comma list of ranges, single addresses and the word `loopback`. */
export function parseTrustedProxies(text: string): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim())
  if (entries.length > NETWORKS_MAX) throw new BadValue(`must list ${NETWORKS_MAX} ranges at most`)
  return entries.flatMap((entry) => (entry === 'loopback' ? LOOPBACK : [parseNetwork(entry)]))
}

function parseNetwork(entry: string): string {
  const [address = '', length, ...rest] = entry.split('/')
  // A zone names an interface of one machine, and the proxy parser below us knows none.
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : 0
  const prefix = length ?? String(bits)
  // A length of 0 trusts everyone, which lets any caller choose its own address.
  const isLength = /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits
  if (bits > 0 && isLength && rest.length === 0) return `${address}/${prefix}`
  throw new BadValue('must be a comma list of CIDR ranges (length 1 or more), or loopback')
}
