// What lies below /verify/ is a path of somebody else's that a gateway has appended to ours. It is
// taken raw: never decoded, never judged, and its query is not for us (DESIGN §10).

import type { IncomingMessage } from 'node:http'

/** RFC 9112 §3.2.2: a target may also come with scheme and authority. */
const AUTHORITY = /^https?:\/\/[^/?#]*/i

/**
 * For Fastify's `rewriteUrl`: the router, which decodes and measures, sees all of them as the one
 * target `/verify/`. Any other target stays as it came.
 */
export function hideVerifiedPaths(
  basePath: string,
): (request: Pick<IncomingMessage, 'url'>) => string {
  const root = `${basePath}/verify/`
  return ({ url = '/' }) => (url.replace(AUTHORITY, '').startsWith(root) ? root : url)
}
