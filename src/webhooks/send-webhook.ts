// One attempt to send a message: one POST on a connection of its own, to an address that was
// checked before the connection is made. Follows no redirect; of the answer only the status and
// Retry-After are read.

import { openAnswer, wordOf } from '../outbound/open-answer.ts'
import { isPublicAddress } from '../outbound/public-address.ts'
import { parseRetryAfter } from '../outbound/retry-after.ts'
import { findUrlProblem } from './webhook-url.ts'

export type SendOutcome =
  | {
      readonly status: number
      readonly error?: never
      /** What the receiver asks to wait before it is tried again. */
      readonly retryAfterSeconds?: number
    }
  | {
      /** Why there was no answer, as `lastError` in webhook.ts has it. */
      readonly error: string
      readonly status?: never
      readonly retryAfterSeconds?: never
    }

export interface WebhookMessage {
  readonly url: string
  readonly allowPrivateNetwork: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Never rejects. An aborted `signal` ends the attempt with its reason as the error. */
export async function sendWebhook(
  message: WebhookMessage,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const { url, allowPrivateNetwork, body } = message
  if (findUrlProblem(url, allowPrivateNetwork)) return { error: 'url_refused' }
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'lineage-webhooks',
    ...message.headers,
  }
  const mayReach = allowPrivateNetwork ? () => true : isPublicAddress
  try {
    const wanted = { url: new URL(url), mayReach, method: 'POST', headers, body, signal } as const
    const answer = await openAnswer(wanted)
    answer.destroy()
    const retryAfterSeconds = parseRetryAfter(answer.headers['retry-after'], Date.now())
    const status = answer.statusCode ?? 0
    return retryAfterSeconds === undefined ? { status } : { status, retryAfterSeconds }
  } catch (error) {
    return { error: signal.aborted ? String(signal.reason) : wordOf(error) }
  }
}
