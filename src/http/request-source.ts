// Where a request came from, bounded and vouched for.

import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Client } from '../clients/client.ts'
import type { Source } from '../grants/grant-context.ts'

const USER_AGENT_LENGTH_MAX = 256

/**
 * The peer's address, as far as LINEAGE_TRUST_PROXY lets `X-Forwarded-For` say it; or what a
 * confidential client with `forwardsClientIp` passes on for its own visitor (DESIGN §7).
 */
export function sourceOf(request: FastifyRequest, client: Client): Source {
  const userAgent = (request.headers['user-agent'] ?? '').slice(0, USER_AGENT_LENGTH_MAX)
  const forwarded = request.headers['lineage-client-ip']
  const mayForward = client.forwardsClientIp && client.type === 'confidential'
  const ip =
    mayForward && typeof forwarded === 'string' && isIP(forwarded) > 0 ? forwarded : request.ip
  return { ip, userAgent }
}
