// A token service that answers as it is told, for what a good one never does: 503 with Retry-After, answers
// that never come or never end, redirects, other people's metadata.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface SeenRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

export type Script = (
  request: SeenRequest,
  response: ServerResponse,
  number: number,
) => void | Promise<void>

export interface ScriptedIssuer {
  readonly url: string
  readonly tokenEndpoint: string
  readonly requests: SeenRequest[]
  /** Answers from now on. */
  script: Script
}

export async function startScriptedIssuer(t: Test, script: Script): Promise<ScriptedIssuer> {
  const requests: SeenRequest[] = []
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request))
    const seen = { path: request.url ?? '', headers: request.headers, form }
    requests.push(seen)
    await issuer.script(seen, response, requests.length)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer: ScriptedIssuer = { url, tokenEndpoint: `${url}/token`, requests, script }
  return issuer
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Tokens `token-1`, `token-2`, … by the number of the request. */
export function issueTokens(more: Record<string, unknown> = {}): Script {
  return (_, response, number) =>
    answerJson(response, 200, {
      access_token: `token-${number}`,
      token_type: 'Bearer',
      expires_in: 600,
      ...more,
    })
}
