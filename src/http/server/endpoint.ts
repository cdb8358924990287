// What an endpoint sees of a request and of its answer: the part of Fastify's two objects that the
// front has too (docs/adr/0016-a-front-before-the-router.md). An endpoint that keeps to it can be
// answered by either.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Client } from '../../clients/client.ts'
import type { Refusal } from '../../ops/request-line.ts'

export interface Caller {
  readonly clientId: string
  /** Set once the client has authenticated. */
  readonly client?: Client
}

export interface EndpointRequest {
  readonly raw: IncomingMessage
  /** What `X-Request-Id` says, and every line of the log that this request leaves. */
  readonly id: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly log: FastifyBaseLogger
  readonly server: Pick<FastifyInstance, 'isTrustedProxy' | 'presentedCertificate'>
  readonly routeOptions: { readonly url?: string | undefined }
  /** Whoever sent it, as soon as that is known. */
  caller?: Caller | undefined
  /** The grant that it asked for, by its name, as soon as that is known to be one. */
  grant?: string | undefined
  /** Why it was refused, if it was. */
  refusal?: Refusal | undefined
}

export interface EndpointReply {
  readonly raw: ServerResponse
  /** Sets a header, named in lower case; several `set-cookie` stand beside each other. */
  header(name: string, value: string): EndpointReply
  headers(values: Readonly<Record<string, string>>): EndpointReply
  code(status: number): EndpointReply
  type(mediaType: string): EndpointReply
  /** An object is sent as JSON, a string as it is, nothing as an empty body. */
  send(payload?: object | string): EndpointReply
}

/** What it returns is sent, unless that is the reply, which was sent then. */
export type Endpoint = (request: EndpointRequest, reply: EndpointReply) => unknown

/** How the front answers a route, without Fastify. */
export type FrontAnswer =
  | { readonly kind: 'read'; readonly answer: Endpoint; readonly takesQuery?: boolean }
  | {
      readonly kind: 'body'
      /** As `Content-Type` spells them; any other spelling is for Fastify to read. */
      readonly mediaTypes: ReadonlySet<string>
      readonly bytesMax: number
      readonly answer: (body: Buffer, request: EndpointRequest, reply: EndpointReply) => unknown
    }

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly front?: FrontAnswer
  }
}

/** A GET endpoint. */
export function registerRead(app: FastifyInstance, path: string, answer: Endpoint): void {
  const config = { front: { kind: 'read', answer } as const }
  app.get(path, { config }, async (request, reply) => answer(request, reply))
}
