// Which other origins may read our answers (the CORS protocol of the Fetch standard): any origin
// where all is public, those that clients list where a user acts. Routes in neither kind of scope,
// such as /verify, /introspect and /admin, never have a CORS header.

import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ClientTable } from '../../clients/client-table.ts'
import type { EndpointReply } from './endpoint.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly cors?: 'anyone' | 'clients'
  }
}

/** The headers that calls need, and those that libraries and tracers add to every request. */
const ALLOWED_HEADERS =
  'Authorization, Content-Type, DPoP, X-Requested-With, X-Request-Id, traceparent, tracestate'

/** Answers of this scope's routes may be read by scripts of any origin, without credentials. */
export function allowAnyOrigin(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, cors: 'anyone' }
  })
}

/** Answers of this scope's routes may be read by scripts of the origins that clients list. */
export function allowClientOrigins(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, cors: 'clients' }
  })
}

/** Call before any route is registered. Asks the clients at every request: changes hold at once. */
export function setCorsHeaders(app: FastifyInstance, clients: Pick<ClientTable, 'overview'>): void {
  app.addHook('onRequest', (request, reply, done) => {
    setCorsHeader(request.routeOptions.config.cors, request.headers.origin, reply, clients)
    done()
  })
}

/** What the route's kind of scope says of the answer to a request from this origin. */
export function setCorsHeader(
  cors: FastifyContextConfig['cors'],
  origin: string | undefined,
  reply: Pick<EndpointReply, 'header'>,
  clients: Pick<ClientTable, 'overview'>,
): void {
  if (cors === 'anyone') reply.header('access-control-allow-origin', '*')
  if (cors === 'clients') admitClientOrigin(origin, reply, clients)
}

/**
 * Whether a browser asks if it may call, and may. Without `Access-Control-Max-Age`: browsers then
 * ask again after 5 s, so that an origin that a client has lost is out as fast there.
 */
export function isAdmittedPreflight(request: FastifyRequest, reply: FastifyReply): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.origin !== undefined &&
    request.headers['access-control-request-method'] !== undefined &&
    reply.hasHeader('access-control-allow-origin')
  )
}

/** `methods` are those of the path, as `Allow` lists them. */
export function answerPreflight(reply: FastifyReply, methods: string): FastifyReply {
  return reply
    .code(204)
    .header('access-control-allow-methods', methods)
    .header('access-control-allow-headers', ALLOWED_HEADERS)
    .send()
}

function admitClientOrigin(
  origin: string | undefined,
  reply: Pick<EndpointReply, 'header'>,
  clients: Pick<ClientTable, 'overview'>,
): void {
  // Also on answers to requests without an Origin: a shared cache must not reuse them for one with
  // it.
  reply.header('vary', 'Origin')
  if (origin === undefined) return
  const allowed = clients.overview().origins.get(origin)
  if (!allowed) return
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', 'DPoP-Nonce, Retry-After, WWW-Authenticate')
  if (allowed.hasCookies) reply.header('access-control-allow-credentials', 'true')
}
