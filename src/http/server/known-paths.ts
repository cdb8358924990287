// Known paths under a wrong method: 405 with `Allow` (RFC 9110 §15.5.6). Unknown paths: 404.

import type { FastifyInstance, RouteOptions } from 'fastify'
import { OAuthError } from '../../oauth/oauth-error.ts'
import { ApiError } from './api-error.ts'
import { answerPreflight, isAdmittedPreflight } from './cors.ts'
import { methodsRouted, methodsToRoute } from './rare-methods.ts'

interface KnownPath {
  readonly methods: Set<string>
  /** One of the path's routes; its configuration decides the form of the 405 answer. */
  readonly route: RouteOptions
}

/**
 * Call before any route is registered; the 405 routes are added after the last one, through
 * `addMethodNotAllowedRoutes`.
 */
export function collectKnownPaths(app: FastifyInstance): Map<string, KnownPath> {
  const paths = new Map<string, KnownPath>()
  app.addHook('onRoute', (route) => {
    const known = paths.get(route.url) ?? { methods: new Set(), route }
    for (const name of [route.method].flat()) known.methods.add(name)
    paths.set(route.url, known)
  })
  return paths
}

/**
 * Refused before the body is read, so that a bad body does not change the answer. A CORS preflight
 * from an origin that may call is the one OPTIONS request that succeeds.
 */
export function addMethodNotAllowedRoutes(
  app: FastifyInstance,
  paths: ReadonlyMap<string, KnownPath>,
): void {
  const all = methodsToRoute(app)
  for (const [url, { methods, route }] of [...paths]) {
    const isOAuth = route.config?.oauth === true
    const allow = methodsRouted(methods).sort().join(', ')
    const rest = all.filter((method) => !methods.has(method))
    app.route({
      method: rest,
      url,
      config: { ...route.config },
      onRequest: async (request, reply) => {
        if (route.config?.isHiddenFrom?.(request)) throw new ApiError('not_found')
        if (isAdmittedPreflight(request, reply)) return answerPreflight(reply, allow)
        reply.header('allow', allow)
        throw isOAuth ? new OAuthError('method_not_allowed') : new ApiError('method_not_allowed')
      },
      handler: () => {},
    })
  }
}
