// Methods that Node.js reads and no endpoint has for itself, those of WebDAV above all, are routed as one
// of them is: the router keeps a tree for each method, and thirty that say the same of every path would
// take most of the time in which an instance starts.

import { type IncomingMessage, METHODS } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** What a path says of this one it says of all of them. */
const STAND_IN = 'PROPFIND'

/** CONNECT never becomes a request. The others of this list Fastify knows itself. */
const COMMON = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']

const RARE: ReadonlySet<string> = new Set(METHODS.filter((method) => !COMMON.includes(method)))

/** Under which method each request came that is just being routed as another. */
const ownMethods = new WeakMap<IncomingMessage, string>()

/** For Fastify's `rewriteUrl`, which sees a request right before the router does; `targetOf` names the target. */
export function routeAsStandIn(
  targetOf: (request: IncomingMessage) => string,
): (request: IncomingMessage) => string {
  return (request) => {
    const { method = '' } = request
    if (method !== STAND_IN && RARE.has(method)) {
      ownMethods.set(request, method)
      request.method = STAND_IN
    }
    return targetOf(request)
  }
}

/** Call before any other hook, none of which may see another method than the client's. */
export function restoreRareMethods(app: FastifyInstance): void {
  // Fastify knows the common methods only; the body of another would be none.
  for (const method of RARE) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  }
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.method === STAND_IN) raw.method = ownMethods.get(raw) ?? STAND_IN
    done()
  })
}

/** The methods that a path needs routes for to answer every one. */
export function methodsToRoute(app: FastifyInstance): string[] {
  return app.supportedMethods.filter((method) => method === STAND_IN || !RARE.has(method))
}

/** The names of all methods that have these routes. */
export function methodsRouted(methods: Iterable<string>): string[] {
  return [...methods].flatMap((method) => (method === STAND_IN ? [...RARE] : [method]))
}
