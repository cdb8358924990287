// The table of webhooks. It is read with every batch of events, so a change holds on all instances
// at once.

import { randomUUID } from 'node:crypto'
import { type Database, guardDatabase } from '../database/database.ts'
import { OLDEST_FIRST, type Page, type PageRequest, readPage } from '../database/keyset-page.ts'
import type { Prisma, Webhook as WebhookRow } from '../generated/prisma/client.ts'
import type { Clock } from '../runtime/clock.ts'
import type { SecurityEventType } from '../runtime/security-event.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { Webhook, WebhookSettings } from './webhook.ts'
import {
  addWebhookSecret,
  sealSecrets,
  unsealSecrets,
  type WebhookSecret,
} from './webhook-secret.ts'

/** Every method rejects with DependencyUnavailable when PostgreSQL is away. */
export interface WebhookStore {
  create(settings: WebhookSettings): Promise<{ webhook: Webhook; secret: string }>
  find(id: string): Promise<Webhook | undefined>
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Webhook>>
  /** Undefined for an unknown id. */
  patch(id: string, patch: Partial<WebhookSettings>): Promise<Webhook | undefined>
  /** Deletes the webhook and its deliveries; false when there was no such webhook. */
  delete(id: string): Promise<boolean>
  /** Adds a new secret; the previous one signs beside it for a day. Undefined for an unknown id. */
  rotateSecret(id: string): Promise<readonly [WebhookSecret, ...WebhookSecret[]] | undefined>
  /** Brings all secrets under the first root secret, so that the others can be taken out. */
  reencrypt(): Promise<void>
}

export interface WebhookStoreDependencies {
  readonly database: Pick<Database, 'pool' | 'prisma'>
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
}

export function openWebhookStore(dependencies: WebhookStoreDependencies): WebhookStore {
  const { database, rootSecrets, clock } = dependencies
  const { pool, prisma } = database
  return {
    async create(settings) {
      const id = randomUUID()
      const now = new Date(clock())
      const secrets = addWebhookSecret([], now.getTime())
      const data = {
        id,
        ...toColumns(settings),
        ...sealSecrets(secrets, id, rootSecrets),
        createdAt: now,
        updatedAt: now,
      }
      const { webhook: table } = await prisma()
      const row = await guardDatabase(() => table.create({ data }))
      return { webhook: toWebhook(row), secret: secrets[0].secret }
    },

    async find(id) {
      const { webhook } = await prisma()
      const row = await guardDatabase(() => webhook.findUnique({ where: { id } }))
      return row ? toWebhook(row) : undefined
    },

    async list(page) {
      const { webhook } = await prisma()
      return await readPage(page, {
        order: OLDEST_FIRST,
        where: {},
        find: (query) => webhook.findMany(query),
        toItem: toWebhook,
      })
    },

    async patch(id, patch) {
      const data = { ...toColumns(patch), updatedAt: new Date(clock()) }
      const { webhook } = await prisma()
      // updateMany, because update would reject for an unknown id.
      const rows = await guardDatabase(() => webhook.updateManyAndReturn({ where: { id }, data }))
      return rows.map(toWebhook)[0]
    },

    async delete(id) {
      const { webhook } = await prisma()
      return (await guardDatabase(() => webhook.deleteMany({ where: { id } }))).count > 0
    },

    async rotateSecret(id) {
      return await inSecretChange(database, id, async (tx, row) => {
        // Secrets that no root secret opens are dropped, so that rotating works after a root secret
        // was lost.
        const before = unsealSecrets(toSealed(row), id, rootSecrets) ?? []
        const secrets = addWebhookSecret(before, clock())
        const data = { ...sealSecrets(secrets, id, rootSecrets), updatedAt: new Date(clock()) }
        await tx.webhook.update({ where: { id }, data })
        return secrets
      })
    },

    async reencrypt() {
      // At each start, so without Prisma.
      const { rows } = await guardDatabase(() =>
        pool.query<{ id: string }>('SELECT id FROM webhooks WHERE root_secret_id <> $1', [
          rootSecrets.current.id,
        ]),
      )
      for (const { id } of rows) {
        await inSecretChange(database, id, async (tx, row) => {
          const secrets = unsealSecrets(toSealed(row), id, rootSecrets)
          if (!secrets) return
          await tx.webhook.update({ where: { id }, data: sealSecrets(secrets, id, rootSecrets) })
        })
      }
    },
  }
}

/** One change of a webhook's secrets at a time; undefined for an unknown id. */
export async function inSecretChange<T>(
  { prisma }: Pick<Database, 'prisma'>,
  id: string,
  work: (tx: Prisma.TransactionClient, row: WebhookRow) => Promise<T>,
): Promise<T | undefined> {
  const client = await prisma()
  return await guardDatabase(() =>
    client.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM webhooks WHERE id = ${id}::uuid FOR UPDATE`
      const row = await tx.webhook.findUnique({ where: { id } })
      return row ? await work(tx, row) : undefined
    }),
  )
}

export function toColumns<Settings extends Partial<WebhookSettings>>({
  events,
  ...rest
}: Settings) {
  return { ...rest, ...(events && { events: [...events] }) }
}

export function toSealed({ secretsEncrypted, rootSecretId }: WebhookRow) {
  return { secretsEncrypted: Uint8Array.from(secretsEncrypted), rootSecretId }
}

/** The columns that no `Webhook` shows. */
type HiddenColumn = 'secretsEncrypted' | 'rootSecretId' | 'applied'

export function toWebhook(row: WebhookRow): Webhook {
  const { id, url, description, allowPrivateNetwork, createdAt, updatedAt } = row
  const webhook: Webhook = {
    id,
    url,
    events: row.events as SecurityEventType[],
    description,
    status: row.status === 'active' ? 'active' : 'disabled',
    allowPrivateNetwork,
    createdAt,
    updatedAt,
  }
  return webhook satisfies Record<Exclude<keyof WebhookRow, HiddenColumn>, unknown>
}
