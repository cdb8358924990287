// `fetch` with a client certificate (RFC 8705), which the one of Node cannot present.

import type { IncomingMessage } from 'node:http'
import { Agent, type AgentOptions, request as sendRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { Fetch } from './bounded-exchange.ts'
import { TokenRequestError } from './client-errors.ts'

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

  return async (url, init) => {
    if (new URL(url).protocol !== 'https:') {
      throw new TokenRequestError('insecure_url', 'a client certificate needs https')
    }
    const request = new Request(url, init)
    const body = request.body ? Buffer.from(await request.arrayBuffer()) : undefined
    const using = await openAgent()
    return await new Promise((resolve, reject) => {
      const headers = {
        ...Object.fromEntries(request.headers),
        ...(body ? { 'content-length': body.byteLength } : {}),
      }
      const { method, signal } = request
      const outgoing = sendRequest(url, { agent: using, method, headers, signal }, (incoming) =>
        resolve(toResponse(incoming)),
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

function toResponse(incoming: IncomingMessage): Response {
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(incoming.headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  const { statusCode: status = 500 } = incoming
  const isEmpty = NO_BODY.includes(status)
  if (isEmpty) incoming.resume()
  const body = isEmpty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>)
  return new Response(body, { status, headers })
}
