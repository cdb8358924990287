// One request of ours, on a connection of its own, to an address that is checked as the connection is made.
// Follows no redirect.

import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import {
  ADDRESS_REFUSED,
  guardLookup,
  type MayReach,
  namesRefusedAddress,
} from './guarded-lookup.ts'

const HEADERS_BYTES_MAX = 16 * 1024
/** Answers before the answer (RFC 9110 §15.2), each of which may have headers of that size. */
const INTERIM_MAX = 16

export interface OutboundRequest {
  readonly url: URL
  readonly mayReach: MayReach
  readonly method?: 'POST'
  readonly headers: Readonly<Record<string, string | number>>
  readonly body?: string | Buffer
  /** PEM, for a place of the operator's: whose certificates are believed there, and our own. */
  readonly tls?: {
    readonly ca?: string | undefined
    readonly cert?: string | undefined
    readonly key?: string | undefined
  }
  /** Ends the reading of the body as well. */
  readonly signal: AbortSignal
}

/** Resolves with the answer once its headers are there; rejects in any other case, of an abort at once. */
export async function openAnswer(wanted: OutboundRequest): Promise<IncomingMessage> {
  const { url, mayReach, body, tls, signal, ...options } = wanted
  if (namesRefusedAddress(url, mayReach)) throw failure(ADDRESS_REFUSED)
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const ofConnection = {
    agent: false,
    lookup: guardLookup(mayReach),
    maxHeaderSize: HEADERS_BYTES_MAX,
  }
  return await new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = send(url, { ...options, ...ofConnection, ...tls, signal })
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    let interim = 0
    request.on('information', () => {
      interim += 1
      if (interim <= INTERIM_MAX) return
      reject(failure('too_many_interim'))
      request.destroy()
    })
    request.on('response', (answer) => {
      // A body that ends with the connection would seem whole when that is cut.
      request.on('error', (error) => answer.complete || answer.destroy(error))
      resolve(answer)
    })
    request.on('error', reject)
    // Node closes a connection that turns to another protocol (101), and tells nothing else of it.
    request.on('close', () => {
      signal.removeEventListener('abort', giveUp)
      reject(new Error('closed without an answer'))
    })
    request.end(body)
  })
}

/** A short word that is safe to log: the code of a system error, where it has one. */
export function wordOf(error: unknown): string {
  const isCoded = error instanceof Error && 'code' in error && typeof error.code === 'string'
  return isCoded ? String(error.code) : 'failed'
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}
