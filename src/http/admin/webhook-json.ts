// Webhooks and their deliveries as JSON, in both directions. What a URL may be is checked by
// webhooks/webhook-url.ts.

import { SECURITY_EVENT_TYPES } from '../../runtime/security-event.ts'
import type { Webhook, WebhookDelivery } from '../../webhooks/webhook.ts'

const MEMBERS = {
  url: { type: 'string' },
  events: {
    type: 'array',
    minItems: 1,
    uniqueItems: true,
    items: { type: 'string', enum: SECURITY_EVENT_TYPES },
  },
  // PostgreSQL keeps no NUL and no half of a pair, and nobody reads the other control characters.
  description: { type: 'string', maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]*$' },
  status: { type: 'string', enum: ['active', 'disabled'] },
  allowPrivateNetwork: { type: 'boolean' },
} as const

export const NEW_WEBHOOK_BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['url', 'events'],
  properties: MEMBERS,
} as const

// A merge patch (RFC 7396): no member can be removed, so null is none of these types.
export const WEBHOOK_PATCH_BODY = {
  type: 'object',
  additionalProperties: false,
  properties: MEMBERS,
} as const

/** Everything of a webhook but its secrets. */
export function toWebhookJson(webhook: Webhook) {
  const { id, url, events, description, status, allowPrivateNetwork } = webhook
  return {
    id,
    url,
    events,
    description,
    status,
    allowPrivateNetwork,
    createdAt: webhook.createdAt.toISOString(),
    updatedAt: webhook.updatedAt.toISOString(),
  }
}

/** What has not been, or will not be, is null. */
export function toDeliveryJson(delivery: WebhookDelivery) {
  const { id, eventId, type, status, attempts, lastStatus, lastError } = delivery
  return {
    id,
    eventId: eventId ?? null,
    type,
    status,
    attempts,
    createdAt: delivery.createdAt.toISOString(),
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    lastAttemptAt: delivery.lastAttemptAt?.toISOString() ?? null,
    lastStatus: lastStatus ?? null,
    lastError: lastError ?? null,
  }
}
