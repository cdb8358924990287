// Where a request came from, bounded and vouched for.

import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Client } from '../clients/client.ts'
import type { Source } from '../grants/grant-context.ts'

const USER_AGENT_LENGTH_MAX = 256

/**
 * The peer's address, as far as LINEAGE_TRUST_PROXY lets `X-Forwarded-For` say it; or what a
 * confidential client with `forwardsClientIp` passes on for its own visitor (DESIGN §7).
 * What is no address counts as not said. Without a client nobody's word is passed on.
 */
export function sourceOf(request: FastifyRequest, client?: Client): Source {
  const userAgent = (request.headers['user-agent'] ?? '').slice(0, USER_AGENT_LENGTH_MAX)
  const mayForward = client?.forwardsClientIp && client.type === 'confidential'
  const forwarded = mayForward ? request.headers['lineage-client-ip'] : undefined
  const ip = [forwarded, request.ip].find(isAddress) ?? request.socket.remoteAddress ?? ''
  return { ip, userAgent }
}

/** Without a zone (RFC 4007 §11), which means nothing elsewhere and has no bound. */
function isAddress(value: unknown): value is string {
  return typeof value === 'string' && isIP(value) > 0 && !value.includes('%')
}
