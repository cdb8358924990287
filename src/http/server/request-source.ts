// Where a request came from, bounded and vouched for.

import type { FastifyRequest } from 'fastify'
import type { Client } from '../../clients/client.ts'
import type { Source } from '../../grants/grant.ts'
import { parseIpAddress } from '../../runtime/ip-address.ts'
import { peerAddressOf } from './peer-address.ts'

const USER_AGENT_LENGTH_MAX = 256

/**
 * The peer's address, as far as LINEAGE_TRUST_PROXY lets `X-Forwarded-For` say it; or what a
 * confidential client with `forwardsClientIp` passes on for its own visitor (DESIGN §7).
 * What is no address counts as not said. Without a client nobody's word is passed on.
 */
export function sourceOf(request: FastifyRequest, client?: Client): Source {
  const userAgent = (request.headers['user-agent'] ?? '').slice(0, USER_AGENT_LENGTH_MAX)
  const mayForward = client?.forwardsClientIp && client.type === 'confidential'
  // Two of them arrive as one value with a comma, which is no address.
  const given = mayForward ? request.headers['lineage-client-ip'] : undefined
  const forwarded = typeof given === 'string' ? parseIpAddress(given) : undefined
  return { ip: forwarded ?? peerAddressOf(request.raw, request.server), userAgent }
}
