// /admin/webhooks and below: who is sent which events, and what became of it. The routes stand
// behind the scope `lineage:admin`.

import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { mapPage } from '../../database/keyset-page.ts'
import type { RecordEvent } from '../../runtime/security-event.ts'
import { isUuid } from '../../runtime/uuid.ts'
import type { Webhook, WebhookSettings } from '../../webhooks/webhook.ts'
import type { DeliveryFilter, WebhookOutbox } from '../../webhooks/webhook-outbox.ts'
import type { WebhookStore } from '../../webhooks/webhook-store.ts'
import { findUrlProblem } from '../../webhooks/webhook-url.ts'
import { ApiError, validationFailed } from '../server/api-error.ts'
import { oneOf, type RulesOf, readListQuery } from '../server/list-query.ts'
import { actOf } from '../server/request-act.ts'
import {
  NEW_WEBHOOK_BODY,
  toDeliveryJson,
  toWebhookJson,
  WEBHOOK_PATCH_BODY,
} from './webhook-json.ts'

export interface AdminWebhooksDependencies {
  readonly webhooks: WebhookStore
  readonly recordEvent: RecordEvent
  readonly outbox: Pick<WebhookOutbox, 'addTest' | 'list'>
  readonly deliverDue: () => Promise<void>
  /** The path of the issuer, empty when it has none; the routes are registered under it. */
  readonly basePath: string
}

type NewWebhookBody = Pick<WebhookSettings, 'url' | 'events'> & Partial<WebhookSettings>

interface OneWebhook {
  Params: { id: string }
}

const PATH = '/admin/webhooks/:id'

const DELIVERY_RULES = {
  isId: isUuid,
  filters: { status: oneOf('pending', 'delivered', 'failed') } satisfies RulesOf<DeliveryFilter>,
}

export function registerAdminWebhooks(app: FastifyInstance, deps: AdminWebhooksDependencies): void {
  registerCollection(app, deps)
  registerSingle(app, deps)
  registerDeliveries(app, deps)
}

function registerCollection(app: FastifyInstance, deps: AdminWebhooksDependencies): void {
  const { webhooks, recordEvent, basePath } = deps

  app.get('/admin/webhooks', async (request) => {
    const { page } = readListQuery(request.query, { isId: isUuid, filters: {} })
    return mapPage(await webhooks.list(page), toWebhookJson)
  })

  app.post<{ Body: NewWebhookBody }>(
    '/admin/webhooks',
    { schema: { body: NEW_WEBHOOK_BODY } },
    async (request, reply) => {
      const { body } = request
      const defaults = { description: '', status: 'active', allowPrivateNetwork: false } as const
      const settings = { ...defaults, ...body }
      checkUrl(settings)
      const { webhook, secret } = await webhooks.create(settings)
      recordEvent({ type: 'webhook.created', ...actOf(request, { webhookId: webhook.id }) })
      reply.code(201).header('location', `${basePath}/admin/webhooks/${webhook.id}`)
      return { ...toWebhookJson(webhook), secret }
    },
  )
}

function registerSingle(app: FastifyInstance, deps: AdminWebhooksDependencies): void {
  const { webhooks, recordEvent } = deps
  app.get<OneWebhook>(PATH, async ({ params }) => toWebhookJson(await find(params.id, webhooks)))

  app.patch<OneWebhook & { Body: Partial<WebhookSettings> }>(
    PATH,
    { schema: { body: WEBHOOK_PATCH_BODY } },
    async (request) => {
      const { params, body } = request
      // Two patches at once can still combine to a bad pair; each attempt to send checks it again.
      const current = await find(params.id, webhooks)
      const wanted = { ...current, ...body }
      checkUrl(wanted)
      // What asks for nothing new changes nothing, `updatedAt` neither.
      if (isDeepStrictEqual(wanted, current)) return toWebhookJson(current)
      const patched = found(await webhooks.patch(params.id, body))
      const changed = Object.keys(body)
      recordEvent({ type: 'webhook.updated', ...actOf(request, { webhookId: params.id, changed }) })
      return toWebhookJson(patched)
    },
  )

  app.delete<OneWebhook>(PATH, async (request, reply) => {
    const { id } = request.params
    if (isUuid(id) && (await webhooks.delete(id))) {
      recordEvent({ type: 'webhook.deleted', ...actOf(request, { webhookId: id }) })
    }
    return reply.code(204).send()
  })

  app.post<OneWebhook>(`${PATH}/secret`, async (request, reply) => {
    const { id } = request.params
    if (!isUuid(id)) throw new ApiError('not_found')
    const [current, before] = found(await webhooks.rotateSecret(id))
    recordEvent({ type: 'webhook.secret_rotated', ...actOf(request, { webhookId: id }) })
    const signsUntilMs = before?.signsUntilMs
    return reply.code(201).send({
      secret: current.secret,
      previousSignsUntil: signsUntilMs === undefined ? null : new Date(signsUntilMs).toISOString(),
    })
  })
}

function registerDeliveries(app: FastifyInstance, deps: AdminWebhooksDependencies): void {
  const { webhooks, outbox, deliverDue } = deps

  app.post<OneWebhook>(`${PATH}/test`, async ({ params }, reply) => {
    const { id, status } = await find(params.id, webhooks)
    if (status !== 'active') {
      throw new ApiError('conflict', { detail: 'A disabled webhook is sent nothing.' })
    }
    const delivery = await outbox.addTest(id)
    // The poll makes up for a failure.
    deliverDue().catch(() => {})
    return reply.code(202).send(toDeliveryJson(delivery))
  })

  app.get<OneWebhook>(`${PATH}/deliveries`, async ({ params, query }) => {
    const { id } = await find(params.id, webhooks)
    const { filter, page } = readListQuery(query, DELIVERY_RULES)
    return mapPage(await outbox.list(id, filter, page), toDeliveryJson)
  })
}

function checkUrl({ url, allowPrivateNetwork }: WebhookSettings): void {
  const detail = findUrlProblem(url, allowPrivateNetwork)
  if (detail !== undefined) throw validationFailed([{ pointer: '/url', detail }])
}

async function find(id: string, webhooks: Pick<WebhookStore, 'find'>): Promise<Webhook> {
  return found(isUuid(id) ? await webhooks.find(id) : undefined)
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new ApiError('not_found')
  return value
}
