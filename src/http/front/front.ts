// The front of a listener: requests that everybody sends, over and over, are answered here, without
// the router, the hooks and the objects of Fastify, by the very endpoints that Fastify has. Whatever
// is out of the ordinary goes on to Fastify (docs/adr/0016-a-front-before-the-router.md).

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { ClientTable } from '../../clients/client-table.ts'
import type { RequestEnded } from '../../ops/request-line.ts'
import type { RequestTracing } from '../../tracing/tracing.ts'
import type { RequestAbandoned } from '../server/abandoned-requests.ts'
import { takeTurn } from '../server/answers-in-turn.ts'
import { setCorsHeader } from '../server/cors.ts'
import { sendError } from '../server/error-handler.ts'
import type { LateRequests } from '../server/late-requests.ts'
import { FrontReply } from './front-reply.ts'
import { FrontRequest } from './front-request.ts'
import { collectFrontRoutes } from './front-routes.ts'
import { readBody } from './read-body.ts'

export interface FrontDependencies {
  readonly logger: Logger
  readonly clients: Pick<ClientTable, 'overview'>
  readonly late: LateRequests
  /** Whether no further request is wanted on any connection. */
  readonly isClosing: () => boolean
  /** Told of every request that was answered here. */
  readonly onEnd: RequestEnded
  /** Told of those whose callers hung up first. */
  readonly onAbandoned: RequestAbandoned
  /** Undefined where requests are not traced. */
  readonly requestTracing: RequestTracing | undefined
}

/** Puts the front before the router of `app`; call before any route is registered. */
export function openFront(
  app: FastifyInstance,
  { logger, clients, late, isClosing, onEnd, onAbandoned, requestTracing }: FrontDependencies,
): void {
  const findRoute = collectFrontRoutes(app)
  const [toRouter] = app.server.listeners('request') as RequestListener[]
  if (!toRouter) throw new Error('the server has no router')
  const { isTrustedProxy, presentedCertificate } = app
  const context = { logger, isTrustedProxy, presentedCertificate }

  function answer(request: FrontRequest, response: ServerResponse): void {
    const reply = new FrontReply(response, isClosing).header('x-request-id', request.id)
    if (request.traceparent !== undefined) reply.header('traceparent', request.traceparent)
    setCorsHeader(request.routeOptions.config.cors, request.headers.origin, reply, clients)
    if (requestTracing) requestTracing.run(request.raw, () => run(request, reply))
    else run(request, reply)
  }

  app.server.removeListener('request', toRouter)
  app.server.on('request', (raw: IncomingMessage, response: ServerResponse) => {
    // Before anything reads the headers, of which it replaces one.
    requestTracing?.begin(raw, response)
    const route = findRoute(raw)
    if (!route) return toRouter(raw, response)
    const request = new FrontRequest(raw, route, context)
    takeTurn(
      raw.socket,
      response,
      () => late.sift(raw.socket, () => answer(request, response)),
      () => {
        const line = request.lineFor(response.statusCode)
        if (response.writableFinished) onEnd(line)
        else onAbandoned(request, line.durationMs)
      },
    )
  })
}

/** Sends what the endpoint returns, or the error that it throws. */
function run(request: FrontRequest, reply: FrontReply): void {
  const send = (result: unknown) => {
    if (result !== reply) reply.send(result as object)
  }
  const refuse = (error: Error) => sendError(error, request, reply)
  const { front } = request.routeOptions
  try {
    const answered =
      front.kind === 'body'
        ? readBody(request.raw).then((body) => front.answer(body, request, reply))
        : front.answer(request, reply)
    // Without a promise where there is nothing to wait for.
    if (answered instanceof Promise) answered.then(send).catch(refuse)
    else send(answered)
  } catch (error) {
    refuse(error as Error)
  }
}
