// What has to be sent, in PostgreSQL: written in the transaction of the events, claimed by one
// instance at a time. So a restart loses nothing and two instances do not send the same at once.
// All times are the database's, because all instances write them.

import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { type Database, guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import { NEWEST_FIRST, type Page, type PageRequest, readPage } from '../database/keyset-page.ts'
import { type AuditEvent, COUNTED_TYPES } from '../events/audit-event.ts'
import { findEvents, type WrittenEvent } from '../events/event-store.ts'
import type { WebhookDelivery as DeliveryRow } from '../generated/prisma/client.ts'
import { definedMembers } from '../runtime/defined-members.ts'
import {
  type DeliveryFilter,
  type DeliveryStatus,
  TEST_TYPE,
  type WebhookDelivery,
} from './webhook.ts'
import type { WebhookShare } from './webhook-lanes.ts'
import type { SealedSecrets } from './webhook-secret.ts'

/** How long a claim holds: longer than an attempt and the recording of its outcome. */
const LEASE_SECONDS = 60
export interface ClaimedDelivery extends SealedSecrets {
  readonly id: string
  readonly webhookId: string
  readonly url: string
  readonly allowPrivateNetwork: boolean
  /** The number of attempts, this one included; also tells this claim from a later one. */
  readonly attempts: number
  readonly createdAt: Date
  /** Undefined for a test. */
  readonly event: AuditEvent | undefined
}

/** The result of an attempt. */
export interface DeliveryOutcome {
  readonly status: DeliveryStatus
  readonly lastStatus: number | undefined
  readonly lastError: string | undefined
  /** When it is tried again; undefined unless it is pending. */
  readonly retryInSeconds: number | undefined
}

/** Every method rejects with DependencyUnavailable when PostgreSQL is away. */
export interface WebhookOutbox {
  /** The active webhooks, other than the given ones, that have something due. */
  listDue(exceptWebhookIds: readonly string[]): Promise<readonly string[]>
  /** Claims due deliveries, of each webhook as many as it has room for, for LEASE_SECONDS. */
  claim(shares: readonly WebhookShare[]): Promise<readonly ClaimedDelivery[]>
  /**
   * Records the outcome. Does nothing when the lease is over and another claim has the delivery.
   */
  settle(claimed: ClaimedDelivery, outcome: DeliveryOutcome): Promise<void>
  addTest(webhookId: string): Promise<WebhookDelivery>
  /** Newest first. */
  list(webhookId: string, filter: DeliveryFilter, page: PageRequest): Promise<Page<WebhookDelivery>>
  /** Deletes deliveries made before, whatever their status. */
  prune(beforeMs: number): Promise<void>
}

/**
 * Adds a delivery for each event and each webhook that subscribes to it, within the transaction
 * that writes the events. Repeating it adds nothing.
 */
export async function addDeliveries(
  client: pg.PoolClient,
  events: readonly WrittenEvent[],
): Promise<void> {
  if (events.length === 0) return
  // A counted event is sent after the end of its minute, when its count is complete.
  await client.query(
    `INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_at, type, next_attempt_at)
     SELECT gen_random_uuid(), webhooks.id, event.id, event.at, event.type,
       CASE WHEN event.type = ANY ($2::text[])
         THEN date_trunc('minute', event.at) + interval '61 s' ELSE now() END
     FROM jsonb_to_recordset($1::jsonb) AS event (id uuid, at timestamptz, type text)
       JOIN webhooks ON status = 'active' AND event.type = ANY (webhooks.events)
     FOR KEY SHARE OF webhooks
     ON CONFLICT (event_id, webhook_id) DO NOTHING`,
    [JSON.stringify(events), COUNTED_TYPES],
  )
}

const IS_DUE = `status = 'pending' AND next_attempt_at <= now()`

/** One look into the index for each webhook, however much waits: the limit keeps it from being a join. */
const LIST_DUE = `
  SELECT webhooks.id FROM webhooks CROSS JOIN LATERAL (
    SELECT FROM webhook_deliveries WHERE webhook_id = webhooks.id AND ${IS_DUE}
    ORDER BY next_attempt_at LIMIT 1
  ) AS due
  WHERE webhooks.status = 'active' AND webhooks.id <> ALL ($1::uuid[])`

/** The ids are an array, so that it is a look into the primary key for each, whatever is expected. */
const CLAIM = `
  UPDATE webhook_deliveries AS claimed SET attempts = claimed.attempts + 1,
    next_attempt_at = now() + make_interval(secs => ${LEASE_SECONDS})
  FROM webhooks
  WHERE webhooks.id = claimed.webhook_id AND claimed.id = ANY (ARRAY(
    SELECT due.id
    FROM unnest($1::uuid[], $2::int[]) AS share (webhook_id, room)
    JOIN webhooks AS receiver ON receiver.id = share.webhook_id AND receiver.status = 'active'
    CROSS JOIN LATERAL (
      SELECT id FROM webhook_deliveries WHERE webhook_id = receiver.id AND ${IS_DUE}
      ORDER BY next_attempt_at LIMIT share.room FOR UPDATE SKIP LOCKED
    ) AS due))
  RETURNING claimed.id, claimed.webhook_id AS "webhookId", claimed.attempts,
    claimed.created_at AS "createdAt", url, allow_private_network AS "allowPrivateNetwork",
    secrets_encrypted AS "secretsEncrypted", root_secret_id AS "rootSecretId",
    claimed.event_id AS "eventId", claimed.event_at AS "eventAt"`

interface ClaimedRow extends Omit<ClaimedDelivery, 'event'> {
  readonly eventId: string | null
  /** Null for a test, and where the release before added the row. */
  readonly eventAt: Date | null
}

const SETTLE = `
  UPDATE webhook_deliveries SET status = $3, last_status = $4, last_error = $5,
    last_attempt_at = now(),
    next_attempt_at = CASE $3 WHEN 'pending' THEN now() + make_interval(secs => $6) END
  WHERE id = $1 AND attempts = $2 AND status = 'pending'`

export function openWebhookOutbox(database: Pick<Database, 'pool' | 'prisma'>): WebhookOutbox {
  const { pool, prisma } = database
  return {
    async listDue(exceptWebhookIds) {
      const { rows } = await guardDatabase(() =>
        pool.query<{ id: string }>(LIST_DUE, [exceptWebhookIds]),
      )
      return rows.map(({ id }) => id)
    },

    async claim(shares) {
      const values = [shares.map(({ webhookId }) => webhookId), shares.map(({ room }) => room)]
      const { rows } = await guardDatabase(() => pool.query<ClaimedRow>(CLAIM, values))
      const keys = rows.flatMap(({ eventId: id, eventAt: at }) => (id === null ? [] : [{ id, at }]))
      const events = await findEvents(pool, keys)
      // Where the event has been taken away, nothing can be sent, and the delivery follows it soon.
      return rows.flatMap(({ eventId, eventAt: _, ...claimed }): ClaimedDelivery[] => {
        if (eventId === null) return [{ ...claimed, event: undefined }]
        const event = events.get(eventId)
        return event ? [{ ...claimed, event }] : []
      })
    },

    async settle({ id, attempts }, { status, lastStatus, lastError, retryInSeconds }) {
      const values = [id, attempts, status, lastStatus, lastError, retryInSeconds ?? 0]
      await guardDatabase(() => pool.query(SETTLE, values))
    },

    async addTest(webhookId) {
      const data = { id: randomUUID(), webhookId, type: TEST_TYPE, nextAttemptAt: new Date(0) }
      const { webhookDelivery } = await prisma()
      return toDelivery(await guardDatabase(() => webhookDelivery.create({ data })))
    },

    async list(webhookId, filter, page) {
      const { webhookDelivery } = await prisma()
      return await readPage(page, {
        order: NEWEST_FIRST,
        where: { webhookId, ...definedMembers(filter) },
        find: (query) => webhookDelivery.findMany(query),
        toItem: toDelivery,
      })
    },
    prune: (beforeMs) => deleteInBatches(pool, OLD, [new Date(beforeMs)]),
  }
}

const OLD = { table: 'webhook_deliveries', condition: 'created_at < $1', orderBy: 'created_at' }

function toDelivery(row: DeliveryRow): WebhookDelivery {
  return {
    id: row.id,
    eventId: row.eventId,
    type: row.type as WebhookDelivery['type'],
    status: row.status as DeliveryStatus,
    attempts: row.attempts,
    createdAt: row.createdAt,
    nextAttemptAt: row.nextAttemptAt,
    lastAttemptAt: row.lastAttemptAt,
    lastStatus: row.lastStatus,
    lastError: row.lastError,
  } satisfies Record<Exclude<keyof DeliveryRow, 'webhookId' | 'eventAt'>, unknown>
}
