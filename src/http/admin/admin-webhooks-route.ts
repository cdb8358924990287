// /admin/webhooks and below: who is sent which events, and what became of it. The routes stand
// behind the scope `lineage:admin`.

import type { FastifyInstance } from 'fastify'
import type { WebhookManagement } from '../../management/webhook-management.ts'
import { SECURITY_EVENT_TYPES } from '../../runtime/security-event.ts'
import { isUuid } from '../../runtime/uuid.ts'
import type { DeliveryFilter, WebhookSettings } from '../../webhooks/webhook.ts'
import type { NewWebhookInput } from '../../webhooks/webhook-draft.ts'
import { actOf } from '../server/bearer.ts'
import { bodyOf, STRING } from '../server/json-body.ts'
import { oneOf, type RulesOf, readListQuery } from '../server/list-query.ts'

interface OneWebhook {
  Params: { id: string }
}

const PATH = '/admin/webhooks/:id'

const DELIVERY_RULES = {
  isId: isUuid,
  filters: { status: oneOf('pending', 'delivered', 'failed') } satisfies RulesOf<DeliveryFilter>,
}

const MEMBERS = {
  url: STRING,
  events: { type: 'array', items: { type: 'string', enum: SECURITY_EVENT_TYPES } },
  description: STRING,
  status: { type: 'string', enum: ['active', 'disabled'] },
  allowPrivateNetwork: { type: 'boolean' },
} as const satisfies Record<keyof WebhookSettings, object>

const NEW_WEBHOOK_BODY = bodyOf(MEMBERS, ['url', 'events'])

// A merge patch (RFC 7396): no member can be removed, so null is none of these types.
const WEBHOOK_PATCH_BODY = bodyOf(MEMBERS)

export function registerAdminWebhooks(app: FastifyInstance, webhooks: WebhookManagement): void {
  app.get('/admin/webhooks', async (request) => {
    const { page } = readListQuery(request.query, { isId: isUuid, filters: {} })
    return await webhooks.list(page)
  })

  app.post<{ Body: NewWebhookInput }>(
    '/admin/webhooks',
    { schema: { body: NEW_WEBHOOK_BODY } },
    async (request, reply) => {
      const webhook = await webhooks.create(request.body, actOf(request))
      reply.code(201).header('location', `${request.routeOptions.url}/${webhook.id}`)
      return webhook
    },
  )

  app.get<OneWebhook>(PATH, ({ params }) => webhooks.find(params.id))

  app.patch<OneWebhook & { Body: Partial<WebhookSettings> }>(
    PATH,
    { schema: { body: WEBHOOK_PATCH_BODY } },
    (request) => webhooks.update(request.params.id, request.body, actOf(request)),
  )

  app.delete<OneWebhook>(PATH, async (request, reply) => {
    await webhooks.delete(request.params.id, actOf(request))
    return reply.code(204).send()
  })

  app.post<OneWebhook>(`${PATH}/secret`, async (request, reply) => {
    const rotated = await webhooks.rotateSecret(request.params.id, actOf(request))
    return reply.code(201).send(rotated)
  })

  app.post<OneWebhook>(`${PATH}/test`, async ({ params }, reply) => {
    const delivery = await webhooks.test(params.id)
    return reply.code(202).send(delivery)
  })

  app.get<OneWebhook>(`${PATH}/deliveries`, async ({ params, query }) => {
    const { id } = await webhooks.find(params.id)
    const { filter, page } = readListQuery(query, DELIVERY_RULES)
    return await webhooks.listDeliveries(id, filter, page)
  })
}
