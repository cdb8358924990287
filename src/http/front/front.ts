// The front of a listener: requests that everybody sends, over and over, are answered here, without
// the router, the hooks and the objects of Fastify, by the very endpoints that Fastify has. Whatever
// is out of the ordinary goes on to Fastify (docs/adr/0016-a-front-before-the-router.md).

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { ClientTable } from '../../clients/client-table.ts'
import { openRequestLines, type RequestLine } from '../../ops/request-line.ts'
import { takeTurn } from '../server/answers-in-turn.ts'
import { setCorsHeader } from '../server/cors.ts'
import { sendError } from '../server/error-handler.ts'
import type { LateRequests } from '../server/late-requests.ts'
import { FrontReply } from './front-reply.ts'
import { FrontRequest } from './front-request.ts'
import { collectFrontRoutes, type FrontRoute } from './front-routes.ts'
import { readBody } from './read-body.ts'

export interface FrontDependencies {
  readonly logger: Logger
  readonly clients: Pick<ClientTable, 'overview'>
  readonly late: LateRequests
}

/** Puts the front before the router of `app`; call before any route is registered. */
export function openFront(
  app: FastifyInstance,
  { logger, clients, late }: FrontDependencies,
): void {
  const findRoute = collectFrontRoutes(app)
  const [toRouter] = app.server.listeners('request') as RequestListener[]
  if (!toRouter) throw new Error('the server has no router')
  const writeLine = openRequestLines(logger)
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })

  function answer(raw: IncomingMessage, response: ServerResponse, route: FrontRoute): void {
    const beganAtMs = performance.now()
    const request = new FrontRequest(raw, route, { logger, isTrustedProxy: app.isTrustedProxy })
    const reply = new FrontReply(response).header('x-request-id', request.id)
    if (request.traceparent !== undefined) reply.header('traceparent', request.traceparent)
    if (isClosing) reply.header('connection', 'close')
    setCorsHeader(route.config.cors, raw.headers.origin, reply, clients)
    response.once('close', () => {
      if (response.writableFinished) writeLine(lineOf(request, response, beganAtMs))
    })
    run(route, request, reply).catch((error: Error) => sendError(error, request, reply))
  }

  app.server.removeListener('request', toRouter)
  app.server.on('request', (raw: IncomingMessage, response: ServerResponse) => {
    const route = findRoute(raw)
    if (!route) return toRouter(raw, response)
    takeTurn(raw.socket, response, () => late.sift(raw.socket, () => answer(raw, response, route)))
  })
}

/** Sends what the endpoint returns; rejects with what it throws. */
async function run(route: FrontRoute, request: FrontRequest, reply: FrontReply): Promise<void> {
  const { front } = route
  const result = await (front.kind === 'body'
    ? front.answer(await readBody(request.raw), request, reply)
    : front.answer(request, reply))
  if (result !== reply) reply.send(result as object)
}

function lineOf(request: FrontRequest, response: ServerResponse, beganAtMs: number): RequestLine {
  return {
    id: request.id,
    traceparent: request.traceparent,
    method: request.method,
    route: request.routeOptions.url,
    status: response.statusCode,
    durationMs: performance.now() - beganAtMs,
  }
}
