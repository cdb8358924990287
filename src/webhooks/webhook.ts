// A webhook: who is sent which events, and what became of each sending. Its secrets are not here.

import type { SecurityEventType } from '../runtime/security-event.ts'

/** The type of a delivery that an administrator asked for; no event stands behind it. */
export const TEST_TYPE = 'webhook.test'

export interface WebhookSettings {
  readonly url: string
  readonly events: readonly SecurityEventType[]
  readonly description: string
  /** A disabled one gets no new deliveries, and those that wait are not sent. */
  readonly status: 'active' | 'disabled'
  /** Whether it may be reached over plain http and at addresses that are not public. */
  readonly allowPrivateNetwork: boolean
}

export interface Webhook extends WebhookSettings {
  readonly id: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type DeliveryStatus = 'pending' | 'delivered' | 'failed'

/** What has not been, or will not be, is null, as in JSON. */
export interface WebhookDelivery {
  /** The `webhook-id` of the message: the same at every attempt. */
  readonly id: string
  /** Null for a test. */
  readonly eventId: string | null
  readonly type: SecurityEventType | typeof TEST_TYPE
  readonly status: DeliveryStatus
  readonly attempts: number
  readonly createdAt: Date
  readonly nextAttemptAt: Date | null
  readonly lastAttemptAt: Date | null
  /** The HTTP status of the last attempt, if there was an answer. */
  readonly lastStatus: number | null
  /**
   * Why the last attempt failed: `url_refused`, `address_refused`, `timeout`, `stopping`,
   * `secret_unreadable`, `too_many_interim`, `failed`, or the code of a system error.
   */
  readonly lastError: string | null
}

/** Exact; undefined asks for nothing. */
export interface DeliveryFilter {
  readonly status?: DeliveryStatus | undefined
}
