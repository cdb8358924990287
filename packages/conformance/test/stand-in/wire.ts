// What the stand-in speaks: a call as it came, a reply, a refusal in the words of RFC 6749 §5.2. It
// shares no code with src/, so that nothing is proven by itself.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Mutation } from './mutation-table.ts'
import { type Certificate, readCertificate } from './shown-certificate.ts'

const BODY_MAX_BYTES = 16 * 1024

/** Whether the stand-in has this deviation. */
export type Has = (mutation: Mutation) => boolean

export interface Call {
  readonly method: string
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** Of the caller, where it has shown one by TLS. */
  readonly certificate: Certificate | undefined
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown
}

export type Handler = (call: Call) => Promise<Reply>

export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(code: string, description: string, status = 400, headers = {}) {
    super(description)
    this.code = code
    this.status = status
    this.headers = headers
  }

  toReply(): Reply {
    const { code, message, status, headers } = this
    return { status, headers, body: { error: code, error_description: message } }
  }
}

export const invalidRequest = (description: string): Refusal =>
  new Refusal('invalid_request', description)

/** Whatever was wrong with a refresh token or a login: one sentence, so that nothing is told. */
export const invalidGrant = (): Refusal =>
  new Refusal('invalid_grant', 'the credentials or the token are not valid')

/** Throws a Refusal when the body is larger than 16 KiB. */
export async function readCall(request: IncomingMessage, has: Has): Promise<Call> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size <= BODY_MAX_BYTES || has('huge-body-read')) chunks.push(chunk)
  }
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s)
  if (size > BODY_MAX_BYTES && !has('huge-body-read')) {
    throw new Refusal('invalid_request', 'the body is too large', 413)
  }
  return {
    method: request.method ?? '',
    path,
    query,
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body: Buffer.concat(chunks),
    certificate: readCertificate(request),
  }
}

export function sendReply(response: ServerResponse, { status, headers = {}, body }: Reply): void {
  const isText = typeof body === 'string'
  const text = body === undefined ? '' : isText ? body : JSON.stringify(body)
  response.writeHead(status, {
    ...(body === undefined || isText ? {} : { 'Content-Type': 'application/json' }),
    'Content-Length': String(Buffer.byteLength(text)),
    ...headers,
  })
  response.end(text)
}

/** RFC 6749 §5.1, and for errors just as well. */
export function withNoStore(reply: Reply, has: Has): Reply {
  const isError = reply.status >= 400
  const noStore = !has('no-store-missing') && !(isError && has('errors-cacheable'))
  return {
    ...reply,
    headers: {
      ...(noStore ? { 'Cache-Control': 'no-store' } : {}),
      ...(has('pragma-missing') ? {} : { Pragma: 'no-cache' }),
      ...reply.headers,
    },
  }
}
