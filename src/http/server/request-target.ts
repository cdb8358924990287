// Which targets the router sees. A path of ours has one spelling, so a proxy that blocks paths by
// comparing bytes cannot be evaded. What follows /verify/ is another service's path that a gateway
// has appended: it is neither decoded nor checked, and its query is not read (docs/semantics.md
// §10).

import type { IncomingMessage } from 'node:http'

/** RFC 9112 §3.2.2: a target may also come with scheme and authority. */
const AUTHORITY = /^https?:\/\/[^/?#]*/i

/**
 * Our paths and the ids in them hold nothing that must be escaped (RFC 3986 §3.3), so the escape of
 * such a character is another spelling; so is what some parsers cut off (`;`, `#`) or turn over
 * (`\`).
 */
const PATH = /^\/[A-Za-z0-9._~!$&'()*+,=:@/-]*$/
/**
 * The same, and escapes of characters that can be written in no other way: controls, the space,
 * some marks and everything beyond ASCII. No route has them, so such a path gets an ordinary 404.
 */
const PATH_WITH_ESCAPES =
  /^\/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%(?:[0189A-F][0-9A-F]|20|22|25|3C|3E|5E|60|7[BCDF]))*$/
/** Segments that some parsers remove: empty ones, and those of dots (RFC 3986 §5.2.4). */
const RESOLVED = /\/(?:\/|\.{1,2}(?:\/|$))/

/** A target that no route has. */
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
  if (RESOLVED.test(path)) return false
  return PATH.test(path) || (PATH_WITH_ESCAPES.test(path) && isDecodable(path))
}

/** Whether the escapes are UTF-8; the router fails on others. */
function isDecodable(path: string): boolean {
  try {
    return decodeURIComponent(path) !== ''
  } catch {
    return false
  }
}
