// Which targets the router gets to see. A path of ours has one spelling, so whoever blocks or counts
// by path before us, and compares bytes, means what we mean. What lies below /verify/ is a path of
// somebody else's that a gateway has appended to ours: taken raw, never decoded, never judged, and
// its query is not for us (DESIGN §10).

import type { IncomingMessage } from 'node:http'

/** RFC 9112 §3.2.2: a target may also come with scheme and authority. */
const AUTHORITY = /^https?:\/\/[^/?#]*/i

/**
 * Our paths and the ids in them hold nothing that must be escaped (RFC 3986 §3.3), so every escape
 * is another spelling; so is what some parsers cut off (`;`, `#`) or turn over (`\`).
 */
const PATH = /^\/[A-Za-z0-9._~!$&'()*+,=:@/-]*$/
/** What a parser would resolve: an empty segment, or one of dots (RFC 3986 §5.2.4). */
const RESOLVED = /\/(?:\/|\.{1,2}(?:\/|$))/

/** No route has it. */
const NOWHERE = '//'

/**
 * For Fastify's `rewriteUrl`: all that is below /verify/ becomes the one target `/verify/`, and any
 * other path that is not in its canonical form becomes one that nobody has.
 */
export function routeTargets(basePath: string): (request: Pick<IncomingMessage, 'url'>) => string {
  const root = `${basePath}/verify/`
  return ({ url = NOWHERE }) => {
    if (url.replace(AUTHORITY, '').startsWith(root)) return root
    const query = url.indexOf('?')
    return isCanonical(query < 0 ? url : url.slice(0, query)) ? url : NOWHERE
  }
}

function isCanonical(path: string): boolean {
  return PATH.test(path) && !RESOLVED.test(path)
}
