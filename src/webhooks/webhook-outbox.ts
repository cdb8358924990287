// What has to be sent, in PostgreSQL: written in the transaction of the events, claimed by one
// instance at a time. So a restart loses nothing and two instances do not send the same at once.
// All times are the database's, because all instances write them.

import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { type Database, guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import { NEWEST_FIRST, type Page, type PageRequest, readPage } from '../database/keyset-page.ts'
import { type AuditEvent, COUNTED_TYPES } from '../events/audit-event.ts'
import { listMembers, toEvent } from '../events/event-store.ts'
import type {
  WebhookDelivery as DeliveryRow,
  Event as EventRow,
} from '../generated/prisma/client.ts'
import { definedMembers } from '../runtime/defined-members.ts'
import {
  type DeliveryFilter,
  type DeliveryStatus,
  TEST_TYPE,
  type WebhookDelivery,
} from './webhook.ts'
import type { SealedSecrets } from './webhook-secret.ts'

/** How long a claim holds: longer than an attempt and the recording of its outcome. */
const LEASE_SECONDS = 60
/**
 * How many deliveries of one webhook a claim takes, so that a slow receiver does not hold up
 * others.
 */
const CLAIMED_EACH_MAX = 4

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
  /** Claims due deliveries of active webhooks other than the given ones, for LEASE_SECONDS. */
  claim(limit: number, exceptWebhookIds: readonly string[]): Promise<readonly ClaimedDelivery[]>
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
  eventIds: readonly string[],
): Promise<void> {
  // A counted event is sent after the end of its minute, when its count is complete.
  await client.query(
    `INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, next_attempt_at)
     SELECT gen_random_uuid(), webhooks.id, events.id, events.type,
       CASE WHEN events.type = ANY ($2::text[])
         THEN date_trunc('minute', events.at) + interval '61 s' ELSE now() END
     FROM events JOIN webhooks ON status = 'active' AND events.type = ANY (webhooks.events)
     WHERE events.id = ANY ($1::uuid[])
     FOR KEY SHARE OF webhooks
     ON CONFLICT (event_id, webhook_id) DO NOTHING`,
    [eventIds, COUNTED_TYPES],
  )
}

const CLAIM = `
  WITH due AS MATERIALIZED (
    SELECT picked.id, url, allow_private_network, secrets_encrypted, root_secret_id
    FROM webhooks CROSS JOIN LATERAL (
      SELECT id FROM webhook_deliveries
      WHERE webhook_id = webhooks.id AND status = 'pending' AND next_attempt_at <= now()
      ORDER BY next_attempt_at LIMIT ${CLAIMED_EACH_MAX} FOR UPDATE SKIP LOCKED
    ) AS picked
    WHERE webhooks.status = 'active' AND webhooks.id <> ALL ($2::uuid[]) LIMIT $1
  )
  UPDATE webhook_deliveries AS claimed SET attempts = claimed.attempts + 1,
    next_attempt_at = now() + make_interval(secs => ${LEASE_SECONDS})
  FROM due WHERE due.id = claimed.id
  RETURNING claimed.id, claimed.webhook_id AS "webhookId", claimed.attempts,
    claimed.created_at AS "createdAt", url, allow_private_network AS "allowPrivateNetwork",
    secrets_encrypted AS "secretsEncrypted", root_secret_id AS "rootSecretId",
    (SELECT row_to_json(event) FROM (
       SELECT ${listMembers((member, column) => `${column} AS "${member}"`)}
       FROM events WHERE events.id = claimed.event_id) AS event) AS event`

type ClaimedRow = Omit<ClaimedDelivery, 'event'> & { readonly event: EventRow | null }

const SETTLE = `
  UPDATE webhook_deliveries SET status = $3, last_status = $4, last_error = $5,
    last_attempt_at = now(),
    next_attempt_at = CASE $3 WHEN 'pending' THEN now() + make_interval(secs => $6) END
  WHERE id = $1 AND attempts = $2 AND status = 'pending'`

export function openWebhookOutbox(database: Pick<Database, 'pool' | 'prisma'>): WebhookOutbox {
  const { pool, prisma } = database
  return {
    async claim(limit, exceptWebhookIds) {
      const { rows } = await guardDatabase(() =>
        pool.query<ClaimedRow>(CLAIM, [limit, exceptWebhookIds]),
      )
      // row_to_json has made a text of the event's time.
      return rows.map(({ event, ...claimed }) => ({
        ...claimed,
        event: event ? toEvent({ ...event, at: new Date(event.at) }) : undefined,
      }))
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
  } satisfies Record<Exclude<keyof DeliveryRow, 'webhookId'>, unknown>
}
