// One HTTP request, exactly as it is written, and its bounded answer. No redirect is followed, no
// header is added that the caller did not ask for, repeated headers stay apart.

import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { SecureContextOptions } from 'node:tls'

const TIMEOUT_MS = 15_000
const BYTES_MAX = 1024 * 1024

export type HeaderList = readonly (readonly [name: string, value: string])[]

export interface Exchange {
  readonly method?: string
  /** Sent in this order; a name may stand there twice. */
  readonly headers?: HeaderList
  readonly body?: string | Buffer
  /** Over https: the certificate that is shown, and who is trusted in place of the usual ones. */
  readonly tls?: Pick<SecureContextOptions, 'cert' | 'key' | 'ca'>
}

export interface Answer {
  readonly status: number
  /** By lower-case name; of a repeated header, what Node makes of it. */
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The members of a JSON object; empty for anything else. */
  readonly json: Readonly<Record<string, unknown>>
}

/** Rejects with an Error when there is no answer within 15 s, or one of more than 1 MiB. */
export function exchange(
  url: string,
  { method, headers = [], body, tls }: Exchange,
): Promise<Answer> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: toHeaders(url, headers, body),
      signal,
      agent: false,
      ...tls,
    })
    request.on('response', (response) => resolve(readAnswer(response)))
    request.on('error', reject)
    // Node closes a connection that turns to another protocol (101), and tells nothing else of it.
    request.on('close', () => reject(new Error('closed without an answer')))
    signal.addEventListener('abort', () => reject(signal.reason))
    request.end(body)
  })
}

/**
 * Node adds neither `Host` nor `Content-Length` to a flat list of headers, so both are added here.
 */
function toHeaders(url: string, headers: HeaderList, body: Exchange['body']): readonly string[] {
  const isGiven = (wanted: string) => headers.some(([name]) => name.toLowerCase() === wanted)
  return [
    ...(isGiven('host') ? [] : ['Host', new URL(url).host]),
    ...headers.flat(),
    ...(body === undefined || isGiven('content-length') || isGiven('transfer-encoding')
      ? []
      : ['Content-Length', String(Buffer.byteLength(body))]),
    'Connection',
    'close',
  ]
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    chunks.push(chunk)
    size += chunk.length
    if (size > BYTES_MAX) throw new Error(`an answer of more than ${BYTES_MAX} bytes`)
  }
  const text = Buffer.concat(chunks).toString()
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? { ...value } : {}
  } catch {
    return {}
  }
}
