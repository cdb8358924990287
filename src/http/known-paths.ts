// Known paths under a wrong method: 405 with `Allow` (RFC 9110 §15.5.6). Unknown paths: 404.

import { METHODS } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../oauth/oauth-error.ts'
import { ApiError } from './api-error.ts'

interface KnownPath {
  readonly methods: Set<string>
  readonly isOAuth: boolean
}

/**
 * Call before any route is registered; the 405 routes are added after the last one, through
 * `addMethodNotAllowedRoutes`.
 */
export function collectKnownPaths(app: FastifyInstance): Map<string, KnownPath> {
  // Fastify knows the common methods only; an unknown one would be a 404 on a path that exists.
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) {
      app.addHttpMethod(method, { hasBody: true })
    }
  }
  const paths = new Map<string, KnownPath>()
  app.addHook('onRoute', ({ url, method, config }) => {
    const known = paths.get(url) ?? { methods: new Set(), isOAuth: config?.oauth === true }
    for (const name of [method].flat()) known.methods.add(name)
    paths.set(url, known)
  })
  return paths
}

/** Refused before any body is read, so that the body's own faults do not speak first. */
export function addMethodNotAllowedRoutes(
  app: FastifyInstance,
  paths: ReadonlyMap<string, KnownPath>,
): void {
  for (const [url, { methods, isOAuth }] of [...paths]) {
    const allow = [...methods].sort().join(', ')
    const rest = app.supportedMethods.filter((method) => !methods.has(method))
    app.route({
      method: rest,
      url,
      config: { oauth: isOAuth },
      onRequest: async (_request, reply) => {
        reply.header('allow', allow)
        throw isOAuth ? new OAuthError('method_not_allowed') : new ApiError('method_not_allowed')
      },
      handler: () => {},
    })
  }
}
