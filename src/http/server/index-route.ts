// GET /: where to look. Under the issuer it names the public documents; on LINEAGE_OPS_PORT, which
// has no public name, it lists the paths that are there.

import type { FastifyInstance } from 'fastify'
import { serveCacheable } from './send-cacheable.ts'

interface IndexRouteDependencies {
  readonly issuer: string
  /** The path of the issuer, empty when it has none. */
  readonly basePath: string
}

/** With and without a slash after the issuer's path, because people type either. */
export function registerIndex(
  app: FastifyInstance,
  { issuer, basePath }: IndexRouteDependencies,
): void {
  serveIndex(app, basePath === '' ? ['/'] : [basePath, `${basePath}/`], {
    issuer,
    metadata: `${issuer}/.well-known/oauth-authorization-server`,
    jwks: `${issuer}/.well-known/jwks.json`,
    docs: `${issuer}/docs`,
    openapi: `${issuer}/openapi.json`,
  })
}

/** Call after the other routes of the listener are registered; `urls` are their patterns. */
export function registerOperationsIndex(app: FastifyInstance, urls: Iterable<string>): void {
  serveIndex(app, ['/'], { paths: [...urls].filter((url) => !/[:*]/.test(url)).sort() })
}

function serveIndex(app: FastifyInstance, places: readonly string[], index: object): void {
  const body = JSON.stringify(index)
  for (const place of places) serveCacheable(app, place, 'application/json; charset=utf-8', body)
}
