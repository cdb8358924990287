// Webhooks as administrators manage them, and what was sent to them. Every change is recorded.

import { isDeepStrictEqual } from 'node:util'
import type { Page, PageRequest } from '../database/keyset-page.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { RecordEvent, SecurityEventType } from '../runtime/security-event.ts'
import { isUuid } from '../runtime/uuid.ts'
import type {
  DeliveryFilter,
  Webhook,
  WebhookDelivery,
  WebhookSettings,
} from '../webhooks/webhook.ts'
import { checkWebhook, draftWebhook, type NewWebhookInput } from '../webhooks/webhook-draft.ts'
import type { WebhookOutbox } from '../webhooks/webhook-outbox.ts'
import type { WebhookStore } from '../webhooks/webhook-store.ts'
import { accepted, found, ManagementError } from './management-error.ts'

export interface WebhookManagementDependencies {
  readonly webhooks: Omit<WebhookStore, 'reencrypt'>
  readonly outbox: Pick<WebhookOutbox, 'addTest' | 'list'>
  /** Begins to send what is due. */
  readonly deliverDue: () => Promise<void>
  readonly recordEvent: RecordEvent
}

export interface RotatedSecret {
  /** Shown this once. */
  readonly secret: string
  /** Until when the secret before it goes on signing; null where there was none. */
  readonly previousSignsUntil: string | null
}

/**
 * Every method rejects with DependencyUnavailable, and those for one webhook with ManagementError
 * `not_found`; deleting what is not there is harmless.
 */
export interface WebhookManagement {
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Webhook>>
  find(id: string): Promise<Webhook>
  /** With its secret, shown this once. Throws ManagementError `invalid`. */
  create(input: NewWebhookInput, act: Act): Promise<Webhook & { readonly secret: string }>
  /** What asks for nothing new changes nothing. Throws ManagementError `invalid`. */
  update(id: string, patch: Partial<WebhookSettings>, act: Act): Promise<Webhook>
  delete(id: string, act: Act): Promise<void>
  rotateSecret(id: string, act: Act): Promise<RotatedSecret>
  /** Sends a message that tells of nothing. Throws ManagementError `conflict` for a disabled one. */
  test(id: string): Promise<WebhookDelivery>
  /** Newest first; of an id that no webhook has there are none. */
  listDeliveries(
    id: string,
    filter: DeliveryFilter,
    page: PageRequest,
  ): Promise<Page<WebhookDelivery>>
}

export function openWebhookManagement(
  dependencies: WebhookManagementDependencies,
): WebhookManagement {
  const { webhooks, outbox, deliverDue, recordEvent } = dependencies

  function record(type: SecurityEventType, webhookId: string, act: Act, changed?: string[]): void {
    recordEvent(withAct({ type, detail: { webhookId, ...(changed && { changed }) } }, act))
  }

  async function findWebhook(id: string): Promise<Webhook> {
    return found(isUuid(id) ? await webhooks.find(id) : undefined, 'webhook')
  }

  return {
    list: webhooks.list,
    find: findWebhook,
    listDeliveries: outbox.list,

    async create(input, act) {
      const { webhook, secret } = await webhooks.create(accepted(draftWebhook(input)))
      record('webhook.created', webhook.id, act)
      return { ...webhook, secret }
    },

    async update(id, patch, act) {
      // Two patches at once may still leave a URL that `allowPrivateNetwork` forbids: sending checks
      // it again.
      const current = await findWebhook(id)
      const wanted = accepted(checkWebhook({ ...current, ...patch }))
      // `updatedAt` stays, too.
      if (isDeepStrictEqual(wanted, current)) return current
      const patched = found(await webhooks.patch(id, patch), 'webhook')
      record('webhook.updated', id, act, Object.keys(patch))
      return patched
    },

    async delete(id, act) {
      if (isUuid(id) && (await webhooks.delete(id))) record('webhook.deleted', id, act)
    },

    async rotateSecret(id, act) {
      const rotated = isUuid(id) ? await webhooks.rotateSecret(id) : undefined
      const [current, before] = found(rotated, 'webhook')
      record('webhook.secret_rotated', id, act)
      const untilMs = before?.signsUntilMs
      const previousSignsUntil = untilMs === undefined ? null : new Date(untilMs).toISOString()
      return { secret: current.secret, previousSignsUntil }
    },

    async test(id) {
      const { status } = await findWebhook(id)
      if (status !== 'active') {
        throw new ManagementError('conflict', 'A disabled webhook is sent nothing.')
      }
      const delivery = await outbox.addTest(id)
      // The poll makes up for a failure.
      deliverDue().catch(() => {})
      return delivery
    },
  }
}
