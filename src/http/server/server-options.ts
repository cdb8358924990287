// How the HTTP server itself behaves: limits, JSON parsing, and the answers that no route gives.

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Health } from '../../ops/health.ts'
import type { RequestEnded } from '../../ops/request-line.ts'
import { ApiError } from './api-error.ts'
import { BODY_SCHEMAS } from './body-schemas.ts'
import { toProblem } from './error-handler.ts'
import { isRepeated } from './repeated-header.ts'
import { notesOf } from './request-notes.ts'
import { openRequestLogger, requestIdOf, traceparentOf } from './request-trace.ts'

const JSON_BODY_BYTES_MAX = 64 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true })

export const SERVER_OPTIONS = {
  bodyLimit: JSON_BODY_BYTES_MAX,
  // A slow sender is cut off: headers have to come within 10 s, the whole request within 15 s.
  requestTimeout: 15_000,
  connectionTimeout: 30_000,
  // Common load balancers close an idle connection after 60 s. We wait longer, so that we never
  // close one that they are about to use.
  keepAliveTimeout: 75_000,
  http: { headersTimeout: 10_000, maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 5_000 },
  // At a stop, serve.ts waits for requests under way: Fastify must neither end nor refuse them.
  forceCloseConnections: 'idle',
  return503OnClosing: false,
  // One line a request, written at its end (docs/semantics.md §13).
  logController: new LogController({ disableRequestLogging: true }),
  genReqId: requestIdOf,
  childLoggerFactory: openRequestLogger,
  routerOptions: { maxParamLength: 16 * 1024, caseSensitive: true, ignoreTrailingSlash: false },
  schemaController: BODY_SCHEMAS,
  ajv: {
    customOptions: {
      // All faults at once; how many there can be is bounded by the size of the body.
      allErrors: true,
      coerceTypes: false,
      removeAdditional: false,
      useDefaults: false,
    },
  },
  clientErrorHandler: (error: Error & { code?: string }, socket: Socket) => {
    answerUnparsable(error.code, socket)
  },
} as const satisfies FastifyHttpOptions<Server>

/** 404 for unknown paths, and `onEnd` for every request that Fastify answers. */
export function setAnswersOutsideRoutes(app: FastifyInstance, onEnd: RequestEnded): void {
  app.setNotFoundHandler(() => {
    throw new ApiError('not_found')
  })
  // No bound on their number, since there is one on their size: Node.js would drop the 2001st
  // header without a word, even if it is a second Authorization.
  app.server.maxHeadersCount = 0
  // RFC 9110 §10.1.1 allows to ignore other expectations than 100-continue; Node.js would answer
  // 417.
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response)
  })
  app.addHook('onRequest', (request, _reply, done) => {
    // RFC 9112 §3.2: with two of them, a proxy and we could each take another host.
    done(isRepeated(request, 'host') ? new ApiError('malformed_request') : undefined)
  })
  app.addHook('onResponse', (request, reply, done) => {
    onEnd({
      id: request.id,
      isIdGiven: request.headers['x-request-id'] === request.id,
      traceparent: traceparentOf(request.raw),
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
      ...notesOf(request),
    })
    done()
  })
}

/**
 * Whether a stop has begun, and no further request is wanted on any connection. Until the listener closes
 * each is still answered, and a proxy that keeps connections is left with none to send into too late.
 */
export function watchClosing(
  app: FastifyInstance,
  health: Pick<Health, 'isDraining'>,
): () => boolean {
  let isClosed = false
  app.addHook('preClose', async () => {
    isClosed = true
  })
  return () => isClosed || health.isDraining()
}

/** Sends `Connection: close` on all answers of a stop; Fastify does so on new requests only. */
export function closeConnectionsWhenClosing(app: FastifyInstance, isClosing: () => boolean): void {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing()) reply.header('connection', 'close')
    done()
  })
}

/** JSON, and merge patches, which are JSON (RFC 7396); nothing that a cache may keep. */
export function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (isRepeated(request, 'content-type')) throw new ApiError('unsupported_media_type')
      // Many clients send a media type with every request, also where there is no body.
      return body.length === 0 ? undefined : parseJson(body)
    },
  )
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
}

/** JSON.parse makes `__proto__` a plain member; no schema has it, so it is refused with 422. */
function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new ApiError('malformed_request')
  }
}

/** What is not HTTP, or not within its limits, gets a problem document too (RFC 9112 §9.6). */
function answerUnparsable(code: string | undefined, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status =
    code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  const timedOut = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : status
  const problem = toProblem(new ApiError('malformed_request'))
  const body = JSON.stringify({ ...problem, status: Number(timedOut.slice(0, 3)) })
  socket.end(
    `HTTP/1.1 ${timedOut}\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
