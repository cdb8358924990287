// A webhook and its deliveries as administrators see them: everything but the secrets.

import type { Webhook, WebhookDelivery } from '../webhooks/webhook.ts'
import type { View } from './view.ts'

export type WebhookView = View<Webhook>

export function toWebhookView(webhook: Webhook): WebhookView {
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
export type DeliveryView = View<WebhookDelivery>

export function toDeliveryView(delivery: WebhookDelivery): DeliveryView {
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
