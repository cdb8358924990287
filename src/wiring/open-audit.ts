// The audit trail put together: the log and the queue before the table of events, the webhooks
// behind it.

import type { Logger } from 'pino'
import type { ServiceConfig } from '../config/service-config.ts'
import type { Database } from '../database/database.ts'
import { inTransaction } from '../database/transaction.ts'
import { openEventQueue } from '../events/event-queue.ts'
import { type EventStore, insertEvents, openEventStore } from '../events/event-store.ts'
import { logEvent } from '../ops/log-events.ts'
import type { ReportFailure } from '../ops/report-failure.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import { openWebhookDeliverer } from '../webhooks/webhook-deliverer.ts'
import { addDeliveries, openWebhookOutbox, type WebhookOutbox } from '../webhooks/webhook-outbox.ts'
import { openWebhookStore, type WebhookStore } from '../webhooks/webhook-store.ts'

export interface Audit {
  /** Logs the event at once, and writes it to the table and for the webhooks a moment later. */
  readonly recordEvent: RecordEvent
  readonly events: EventStore
  readonly webhooks: WebhookStore
  readonly outbox: WebhookOutbox
  /** Begins to send what is due; rejects with DependencyUnavailable. */
  deliverDue(): Promise<void>
  /** Stops sending, and writes the events that wait; logs how many it could not write. */
  close(): Promise<void>
}

export interface AuditOptions {
  readonly config: Pick<ServiceConfig, 'rootSecrets'>
  readonly database: Database
  readonly logger: Logger
  readonly report: ReportFailure
  readonly clock: Clock
}

/** Does nothing by itself before the first event. */
export function openAudit({ config, database, logger, report, clock }: AuditOptions): Audit {
  const { rootSecrets } = config
  const outbox = openWebhookOutbox(database)
  const onError = (err: unknown) => report('webhooks', err)
  const deliverer = openWebhookDeliverer({
    outbox,
    rootSecrets,
    clock,
    onFailed: ({ id, webhookId }, { lastStatus, lastError }) =>
      logEvent(logger, 'webhook.failed', { deliveryId: id, webhookId, lastStatus, lastError }),
    onError,
  })
  const queue = openEventQueue({
    async write(events) {
      await inTransaction(database.pool, async (client) => {
        await addDeliveries(client, await insertEvents(client, events))
      })
      deliverer.deliverDue().catch(onError)
    },
    clock,
    onLost: (count) => recordEvent({ type: 'events.dropped', detail: { count } }),
    onRefused: (err) => report('events', err),
  })
  const recordEvent: RecordEvent = (event) => {
    const { type, ...fields } = event
    logEvent(logger, type, fields)
    queue.record(event)
  }
  return {
    recordEvent,
    events: openEventStore(database),
    webhooks: openWebhookStore({ database, rootSecrets, clock }),
    outbox,
    deliverDue: deliverer.deliverDue,
    async close() {
      await Promise.all([deliverer.stop(), queue.close()])
    },
  }
}
