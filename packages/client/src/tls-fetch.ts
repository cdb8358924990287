// `fetch` with a client certificate (RFC 8705), which the one of Node cannot present.

import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, type AgentOptions, request as sendRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Fetch } from './bounded-exchange.ts'
import { TokenRequestError } from './client-errors.ts'
import { givenUpWith } from './give-up.ts'

/** A function is asked before every request, for certificates that are renewed while we run. */
export type TlsInput = AgentOptions | (() => AgentOptions | Promise<AgentOptions>)

const NO_BODY = [204, 205, 304]

/** Only https, and no redirect is followed. Connections are kept while the certificate is the same. */
export function createTlsFetch(input: TlsInput): Fetch {
  let agent: Agent | undefined
  let certificate = ''

  async function openAgent(): Promise<Agent> {
    const options = typeof input === 'function' ? await input() : input
    const { cert, key, pfx, ca } = options
    const given = JSON.stringify([cert, key, pfx, ca].map(String))
    if (agent && given === certificate) return agent
    // The one before ends with its last request.
    agent = new Agent({ keepAlive: true, ...options })
    certificate = given
    return agent
  }

  async function send(url: string, init: RequestInit): Promise<Response> {
    if (new URL(url).protocol !== 'https:') {
      throw new TokenRequestError('insecure_url', 'a client certificate needs https')
    }
    const request = new Request(url, init)
    const body = request.body ? Buffer.from(await request.arrayBuffer()) : undefined
    const headers = {
      ...Object.fromEntries(request.headers),
      ...(body ? { 'content-length': body.byteLength } : {}),
    }
    const { method } = request
    const using = { agent: await openAgent(), ...(init.signal && { signal: init.signal }) }
    return await openResponse(sendRequest(url, { method, headers, ...using }), body)
  }

  return (url, init = {}) => givenUpWith(init.signal ?? undefined, send(url, init))
}

function openResponse(outgoing: ClientRequest, body: Buffer | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    outgoing.on('response', (incoming) => {
      // A body that ends with the connection would seem whole when that is cut.
      outgoing.on('error', (error) => incoming.complete || incoming.destroy(error))
      try {
        resolve(toResponse(incoming))
      } catch (error) {
        // A status that `Response` does not take.
        incoming.destroy()
        reject(error)
      }
    })
    outgoing.on('error', reject)
    // Node closes a connection that turns to another protocol (101), and tells nothing else of it.
    outgoing.on('close', () => reject(new TypeError('closed without an answer')))
    outgoing.end(body)
  })
}

function toResponse(incoming: IncomingMessage): Response {
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(incoming.headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  const { statusCode: status = 500 } = incoming
  if (!NO_BODY.includes(status)) {
    return new Response(Readable.toWeb(incoming) as ReadableStream<Uint8Array>, { status, headers })
  }
  // A body that must not be is not read to its end, which may never come.
  incoming.once('data', () => incoming.destroy())
  return new Response(null, { status, headers })
}
