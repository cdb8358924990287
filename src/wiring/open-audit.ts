// The audit trail put together: the log and the queue before the table of events, the webhooks
// behind it.

import type { Logger } from 'pino'
import type { ServiceConfig } from '../config/service-config.ts'
import type { Database } from '../database/database.ts'
import { inTransaction } from '../database/transaction.ts'
import { openEventQueue, WAITING_MAX } from '../events/event-queue.ts'
import { type EventStore, insertEvents, openEventStore } from '../events/event-store.ts'
import { countFamilyEnd } from '../metrics/count-family-ends.ts'
import { type Figures, openFigures } from '../metrics/figures.ts'
import { logEvent } from '../ops/log-events.ts'
import type { ReportFailure } from '../ops/report-failure.ts'
import { type TraceCall, UNTRACED } from '../outbound/trace-call.ts'
import type { Clock } from '../runtime/clock.ts'
import { ALONE, type ProcessGroup, shareOf } from '../runtime/process-group.ts'
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
  /** How many events wait to be written. */
  eventsWaiting(): number
  /**
   * Begins to send what is due, here or in the process that keeps house; rejects with
   * DependencyUnavailable.
   */
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
  /** Alone by default. */
  readonly group?: ProcessGroup
  /** Where it is counted what comes of events and deliveries. */
  readonly figures?: Figures
  readonly traceCall?: TraceCall
}

/** Does nothing by itself before the first event. */
export function openAudit(options: AuditOptions): Audit {
  const { config, database, logger, report, clock, group = ALONE } = options
  const { figures = openFigures(), traceCall = UNTRACED } = options
  const { rootSecrets } = config
  const outbox = openWebhookOutbox(database)
  const onError = (err: unknown) => report('webhooks', err)
  const deliverer = openWebhookDeliverer({
    outbox,
    rootSecrets,
    clock,
    traceCall,
    onFailed: ({ id, webhookId }, { lastStatus, lastError }) =>
      logEvent(logger, 'webhook.failed', { deliveryId: id, webhookId, lastStatus, lastError }),
    onAttempt: (status) => figures.webhookDeliveries.add(status === 'pending' ? 'retried' : status),
    onError,
  })
  async function deliverDue(): Promise<void> {
    if (group.keepsHouse()) await deliverer.deliverDue()
    else group.announceDeliveries()
  }
  const queue = openEventQueue({
    async write(events) {
      await inTransaction(database.pool, async (client) => {
        await addDeliveries(client, await insertEvents(client, events))
      })
      deliverDue().catch(onError)
    },
    clock,
    waitingMax: shareOf(WAITING_MAX, group),
    onLost(count) {
      figures.eventsDropped.addMany(count)
      recordEvent({ type: 'events.dropped', detail: { count } })
    },
    onRefused: (err) => report('events', err),
  })
  const recordEvent: RecordEvent = (event) => {
    const { requestId, ...kept } = event
    const { type, ...fields } = kept
    logEvent(logger, type, requestId === undefined ? fields : { reqId: requestId, ...fields })
    queue.record(kept)
    countFamilyEnd(kept, figures)
  }
  return {
    recordEvent,
    events: openEventStore(database),
    webhooks: openWebhookStore({ database, rootSecrets, clock }),
    outbox,
    eventsWaiting: queue.waiting,
    deliverDue,
    async close() {
      await Promise.all([deliverer.stop(), queue.close()])
    },
  }
}
