// `fetch` with the certificates of a test: whom it trusts, and which one it presents.

import { type Agent, request as httpsRequest } from 'node:https'
import type { Send } from './app.ts'
import type { Certified } from './certificates.ts'

export interface TlsFetchOptions {
  readonly ca: string
  readonly client?: Pick<Certified, 'cert' | 'key'> | undefined
  /** One that keeps connections; without it every request has a connection of its own. */
  readonly agent?: Agent
}

export function tlsFetch({ ca, client, agent }: TlsFetchOptions): Send {
  return (url, init = {}) => {
    const { method, headers, body } = new Request(url, init)
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(url, {
        ...{ method, ca, agent: agent ?? false },
        ...(client && { cert: client.cert, key: client.key }),
        headers: Object.fromEntries(headers),
      })
      outgoing.on('error', reject)
      outgoing.on('response', (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => resolve(toResponse(answer, Buffer.concat(chunks))))
      })
      if (body) void new Response(body).text().then((text) => outgoing.end(text), reject)
      else outgoing.end()
    })
  }
}

function toResponse(
  {
    statusCode: status = 0,
    headers,
  }: { statusCode?: number | undefined; headers: NodeJS.Dict<unknown> },
  body: Buffer,
): Response {
  const flat = Object.entries(headers).map(([name, value]) => [name, String(value)])
  return new Response(status === 204 || status === 304 ? null : body, {
    status,
    headers: Object.fromEntries(flat),
  })
}
