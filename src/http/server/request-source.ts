// Where a request came from: the address, as far as it can be trusted, the user agent, and the id under
// which the log has it.

import type { Client } from '../../clients/client.ts'
import type { Source } from '../../grants/grant.ts'
import { parseIpAddress } from '../../runtime/ip-address.ts'
import type { EndpointRequest } from './endpoint.ts'
import { peerAddressOf } from './peer-address.ts'

const USER_AGENT_LENGTH_MAX = 256

/**
 * The peer's address, as far as LINEAGE_TRUST_PROXY lets `X-Forwarded-For` say it; or what a
 * confidential client with `forwardsClientIp` passes on for its own visitor (docs/semantics.md §7).
 * A value that is no address is ignored. Without a client no such header counts.
 */
export function sourceOf(request: EndpointRequest, client?: Client): Source {
  const userAgent = (request.headers['user-agent'] ?? '').slice(0, USER_AGENT_LENGTH_MAX)
  const mayForward = client?.forwardsClientIp && client.type === 'confidential'
  // Node.js joins two such headers with a comma, which no address has.
  const given = mayForward ? request.headers['lineage-client-ip'] : undefined
  const forwarded = typeof given === 'string' ? parseIpAddress(given) : undefined
  const ip = forwarded ?? peerAddressOf(request.raw, request.server)
  return { ip, userAgent, requestId: request.id }
}
