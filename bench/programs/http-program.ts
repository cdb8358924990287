// What every program of ours that stands beside Lineage needs: a body read to its end, an answer in
// JSON, and word to the benchmark of the port.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks).toString()))
  })
}

export function answerJson(response: ServerResponse, status: number, answer: object): void {
  const body = JSON.stringify(answer)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(body)
}

/** Listens on a free port of the loopback address and tells the parent process which. */
export function listen(onRequest: RequestListener): void {
  const server = createServer(onRequest)
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    process.send?.({ port: (server.address() as AddressInfo).port })
  })
}
