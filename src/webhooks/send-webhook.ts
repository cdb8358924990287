// One attempt to send a message: one POST on a connection of its own, to an address that was
// checked before the connection is made. Follows no redirect; of the answer only the status and
// Retry-After are read.

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { ADDRESS_REFUSED, guardLookup, namesRefusedAddress } from '../outbound/guarded-lookup.ts'
import { isPublicAddress } from '../outbound/public-address.ts'
import { parseRetryAfter } from './retry-after.ts'
import { findUrlProblem } from './webhook-url.ts'

const ANSWER_HEADERS_MAX = 16 * 1024

/** Why there was no answer, where no code of a system error tells it. */
export type SendError = 'url_refused' | typeof ADDRESS_REFUSED | 'timeout' | 'stopping' | 'failed'

export type SendOutcome =
  | {
      readonly status: number
      readonly error?: never
      /** What the receiver asks to wait before it is tried again. */
      readonly retryAfterSeconds?: number
    }
  | { readonly error: string; readonly status?: never; readonly retryAfterSeconds?: never }

export interface WebhookMessage {
  readonly url: string
  readonly allowPrivateNetwork: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Never rejects. An aborted `signal` ends the attempt with its reason as the error. */
export function sendWebhook(message: WebhookMessage, signal: AbortSignal): Promise<SendOutcome> {
  const { url, allowPrivateNetwork, headers, body } = message
  if (findUrlProblem(url, allowPrivateNetwork)) return refuse('url_refused')
  const target = new URL(url)
  const mayReach = allowPrivateNetwork ? () => true : isPublicAddress
  if (namesRefusedAddress(target, mayReach)) return refuse(ADDRESS_REFUSED)
  const options = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'lineage-webhooks',
      ...headers,
    },
    agent: false,
    lookup: guardLookup(mayReach),
    maxHeaderSize: ANSWER_HEADERS_MAX,
    signal,
  } as const
  return new Promise((resolve) => {
    const request = target.protocol === 'https:' ? requestHttps : requestHttp
    const outgoing = request(target, options, (answer) => {
      const retryAfterSeconds = parseRetryAfter(answer.headers['retry-after'], Date.now())
      const status = answer.statusCode ?? 0
      resolve(retryAfterSeconds === undefined ? { status } : { status, retryAfterSeconds })
      answer.destroy()
    })
    // Also called for errors after the answer was dropped; the promise is settled by then.
    outgoing.on('error', (error) => {
      resolve({ error: signal.aborted ? String(signal.reason) : codeOf(error) })
    })
    outgoing.end(body)
  })
}

function refuse(error: SendError): Promise<SendOutcome> {
  return Promise.resolve({ error })
}

function codeOf(error: Error): string {
  const failed: SendError = 'failed'
  return 'code' in error && typeof error.code === 'string' ? error.code : failed
}
