// The answer to a request at the front, with the members of Fastify's reply that endpoints use, and
// the same bytes on the wire.

import type { ServerResponse } from 'node:http'
import type { EndpointReply } from '../server/endpoint.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

export class FrontReply implements EndpointReply {
  readonly raw: ServerResponse
  #status = 200
  /** Name and value by turns, as they are written. */
  readonly #head: string[] = []

  readonly #isClosing: () => boolean

  /** `isClosing`: whether no further request is wanted on any connection. */
  constructor(raw: ServerResponse, isClosing: () => boolean) {
    this.raw = raw
    this.#isClosing = isClosing
  }

  header(name: string, value: string): this {
    const at = name === 'set-cookie' ? -1 : this.#find(name)
    if (at < 0) this.#head.push(name, value)
    else this.#head[at + 1] = value
    return this
  }

  headers(values: Readonly<Record<string, string>>): this {
    for (const name in values) this.header(name, values[name] ?? '')
    return this
  }

  code(status: number): this {
    this.#status = status
    return this
  }

  type(mediaType: string): this {
    return this.header('content-type', mediaType)
  }

  send(payload?: object | string): this {
    // A text in one piece with the head is one write to the socket; a Buffer would be two.
    const body = typeof payload === 'object' ? JSON.stringify(payload) : (payload ?? '')
    if (payload !== undefined) this.#completeType()
    // RFC 9110 §8.6: a 304 has no length of its own.
    if (this.#status !== 304) this.header('content-length', String(Buffer.byteLength(body)))
    // A stop may have begun since the request came.
    if (this.#isClosing()) this.header('connection', 'close')
    this.raw.writeHead(this.#status, this.#head)
    this.raw.end(body)
    return this
  }

  /** What endpoints send is JSON unless they say otherwise, and Fastify names its charset. */
  #completeType(): void {
    const at = this.#find('content-type')
    if (at < 0) this.header('content-type', JSON_TYPE)
    else if (!this.#head[at + 1]?.includes('charset')) this.#head[at + 1] += '; charset=utf-8'
  }

  #find(name: string): number {
    for (let at = 0; at < this.#head.length; at += 2) if (this.#head[at] === name) return at
    return -1
  }
}
