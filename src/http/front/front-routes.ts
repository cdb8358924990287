// Which requests the front answers: those of routes that say so in their configuration, and of
// these only the plain ones, so that every special case stands once, in Fastify's way.

import type { IncomingMessage } from 'node:http'
import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import type { FrontAnswer } from '../server/endpoint.ts'
import { isRepeated } from '../server/repeated-header.ts'

export interface FrontRoute {
  /** The pattern, as the log names it. */
  readonly url: string
  readonly front: FrontAnswer
  readonly config: FastifyContextConfig
}

/**
 * The route of a request that the front answers; undefined for one that Fastify answers. To be
 * called before any route is registered: it notes them as they come.
 */
export function collectFrontRoutes(
  app: FastifyInstance,
): (request: IncomingMessage) => FrontRoute | undefined {
  const exact = new Map<string, FrontRoute>()
  const below = new Map<string, FrontRoute>()
  app.addHook('onRoute', (route) => {
    const front = route.config?.front
    if (!front) return
    const { url } = route
    const found = {
      url,
      front,
      // Scopes add to it after this hook has seen the route.
      get config() {
        return route.config ?? {}
      },
    }
    if (url.endsWith('/*')) below.set(url.slice(0, -1), found)
    else exact.set(url, found)
  })

  function findByTarget(target: string): FrontRoute | undefined {
    const known = exact.get(target)
    if (known) return known
    for (const [start, route] of below) if (target.startsWith(start)) return route
    const query = target.indexOf('?')
    const before = query < 0 ? undefined : exact.get(target.slice(0, query))
    return before?.front.kind === 'read' && before.front.takesQuery ? before : undefined
  }

  return (request) => {
    const route = findByTarget(request.url ?? '')
    if (!route || isRepeated({ raw: request }, 'host')) return undefined
    const { front } = route
    const isPlain = front.kind === 'body' ? isPlainBody(request, front) : isPlainRead(request)
    return isPlain ? route : undefined
  }
}

function isPlainRead({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  )
}

function isPlainBody(
  request: IncomingMessage,
  { bytesMax, mediaTypes }: Extract<FrontAnswer, { kind: 'body' }>,
): boolean {
  const { method, headers } = request
  const length = Number(headers['content-length'])
  return (
    method === 'POST' &&
    length > 0 &&
    length <= bytesMax &&
    mediaTypes.has(headers['content-type'] ?? '') &&
    !isRepeated({ raw: request }, 'content-type')
  )
}
