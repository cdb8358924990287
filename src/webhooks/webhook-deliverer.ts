// Sends due deliveries: claims, signs and sends them and records the outcome. Has no timer of its
// own: it is called after events were written, and by the poll.

import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { toEventJson } from '../events/audit-event.ts'
import { type TraceCall, UNTRACED } from '../outbound/trace-call.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { type SendOutcome, sendWebhook } from './send-webhook.ts'
import { TEST_TYPE } from './webhook.ts'
import { openWebhookLanes, SENDING_MAX } from './webhook-lanes.ts'
import type { ClaimedDelivery, DeliveryOutcome, WebhookOutbox } from './webhook-outbox.ts'
import { signWebhook, unsealSecrets } from './webhook-secret.ts'

const ATTEMPT_MS = 10_000
/** What a stop waits for attempts under way before it cuts them off. */
const STOP_PATIENCE_MS = 2_000
/**
 * Pause before each further attempt, plus or minus a fifth. In all less than a day, the least
 * retention.
 */
const RETRY_SECONDS = [5, 60, 300, 1_800, 7_200, 18_000, 36_000]
const JITTER = 0.2
/** The longest pause that a receiver may ask for, so that all attempts stay within a day. */
const RETRY_AFTER_SECONDS_MAX = 1_800
/** RFC 9110 §15.5.11: a receiver that answers this wants no further attempt. */
const GONE = 410
/**
 * Attempts to record an outcome, all within the lease: if it is not recorded, the message is sent
 * again.
 */
const SETTLE_ATTEMPTS = 5
const SETTLE_RETRY_MS = 5_000

export interface WebhookDelivererOptions {
  readonly outbox: Pick<WebhookOutbox, 'listDue' | 'claim' | 'settle'>
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
  /** Told of every attempt. */
  readonly traceCall?: TraceCall
  /** A delivery was given up. */
  readonly onFailed: (claimed: ClaimedDelivery, outcome: DeliveryOutcome) => void
  /** Told how each attempt ended. */
  readonly onAttempt?: (outcome: DeliveryOutcome['status']) => void
  /** An outcome could not be recorded, or a claim not be made after a delivery. */
  readonly onError: (error: unknown) => void
}

export interface WebhookDeliverer {
  /** Claims what is due and begins to send it; rejects with DependencyUnavailable. */
  deliverDue(): Promise<void>
  /** Claims nothing more; resolves when nothing is being sent. What was cut off is tried again. */
  stop(): Promise<void>
}

export function openWebhookDeliverer(options: WebhookDelivererOptions): WebhookDeliverer {
  const { outbox, rootSecrets, clock, onFailed, onError, onAttempt = () => {} } = options
  const { traceCall = UNTRACED } = options
  const sending = new Set<Promise<void>>()
  const lanes = openWebhookLanes(clock)
  const stopping = new AbortController()
  const cutOff = new AbortController()
  setMaxListeners(SENDING_MAX, cutOff.signal)
  let claiming: Promise<void> | undefined
  /** By whom another look is wanted. */
  let wanted: 'caller' | 'delivery' | undefined

  /** One claim at a time: two at once would together take more than they may. */
  function look(by: 'caller' | 'delivery'): Promise<void> {
    if (wanted !== 'caller') wanted = by
    claiming ??= claimAll().finally(() => {
      claiming = undefined
    })
    return claiming
  }

  async function claimAll(): Promise<void> {
    while (wanted && !stopping.signal.aborted && sending.size < SENDING_MAX) {
      const isPaced = wanted === 'delivery'
      wanted = undefined
      const shares = lanes.share(await outbox.listDue(lanes.full()), { isPaced })
      if (shares.length === 0) continue
      for (const claimed of await outbox.claim(shares)) {
        lanes.begin(claimed.webhookId)
        const done = deliver(claimed).catch(onError)
        sending.add(done)
        void done.then(() => onDone(done))
      }
    }
  }

  async function deliver(claimed: ClaimedDelivery): Promise<void> {
    const sent = await attempt(claimed)
    const outcome = toOutcome(sent, claimed.attempts)
    onAttempt(outcome.status)
    lanes.end(claimed.webhookId, outcome.status === 'delivered')
    await settle(claimed, outcome)
    if (outcome.status === 'failed') onFailed(claimed, outcome)
  }

  /** Looks for more, since there is room again. */
  function onDone(done: Promise<void>): void {
    sending.delete(done)
    look('delivery').catch(onError)
  }

  async function attempt(claimed: ClaimedDelivery): Promise<SendOutcome> {
    const secrets = unsealSecrets(claimed, claimed.webhookId, rootSecrets)
    if (!secrets) return { error: 'secret_unreadable' }
    const { id, url, allowPrivateNetwork } = claimed
    const body = formatBody(claimed)
    const signed = signWebhook({ id, body }, secrets, clock())
    const call = traceCall('webhook')
    const headers = { ...signed, ...call.headers }
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort('timeout'), ATTEMPT_MS)
    const onCutOff = () => controller.abort('stopping')
    cutOff.signal.addEventListener('abort', onCutOff)
    try {
      const message = { url, allowPrivateNetwork, headers, body }
      const outcome = await sendWebhook(message, controller.signal)
      call.ended(outcome.status ?? outcome.error ?? 'failed')
      return outcome
    } finally {
      clearTimeout(timer)
      cutOff.signal.removeEventListener('abort', onCutOff)
    }
  }

  async function settle(claimed: ClaimedDelivery, outcome: DeliveryOutcome): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await outbox.settle(claimed, outcome)
      } catch (error) {
        if (attempts === SETTLE_ATTEMPTS || stopping.signal.aborted) return onError(error)
        await delay(SETTLE_RETRY_MS, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }

  return {
    deliverDue: () => look('caller'),
    async stop() {
      stopping.abort()
      await claiming?.catch(() => {})
      const timer = setTimeout(() => cutOff.abort(), STOP_PATIENCE_MS)
      await Promise.all(sending)
      clearTimeout(timer)
    },
  }
}

/** Whether the delivery is done, given up or tried again, and when. Only a 2xx is a success. */
function toOutcome(sent: SendOutcome, attempts: number): DeliveryOutcome {
  const { status, error, retryAfterSeconds = 0 } = sent
  const last = { lastStatus: status, lastError: error }
  if (status !== undefined && status >= 200 && status < 300) {
    return { status: 'delivered', ...last, retryInSeconds: undefined }
  }
  // An attempt that our own stop has cut off is not the receiver's failure, so it is never the
  // last.
  const seconds = RETRY_SECONDS[attempts - 1] ?? (error === 'stopping' ? 0 : undefined)
  if (seconds === undefined || status === GONE)
    return { status: 'failed', ...last, retryInSeconds: undefined }
  const jitter = 1 - JITTER + 2 * JITTER * Math.random()
  const asked = Math.min(retryAfterSeconds, RETRY_AFTER_SECONDS_MAX)
  return { status: 'pending', ...last, retryInSeconds: Math.max(seconds * jitter, asked) }
}

/** The same at every attempt, except that the count of a counted event may have risen. */
function formatBody({ event, createdAt, webhookId }: ClaimedDelivery): string {
  const [type, at, data] = event
    ? [event.type, event.at, toEventJson(event)]
    : [TEST_TYPE, createdAt, { webhookId }]
  return JSON.stringify({ type, timestamp: at.toISOString(), data })
}
