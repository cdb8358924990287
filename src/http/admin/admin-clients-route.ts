// /admin/clients and below: the clients as an administrator manages them. Who may come here is
// decided before.

import type { FastifyInstance } from 'fastify'
import type { ClientInput, NewClientInput } from '../../clients/client-draft.ts'
import { isClientId } from '../../clients/client-id.ts'
import type { ClientManagement } from '../../management/client-management.ts'
import { actOf } from '../server/bearer.ts'
import { readListQuery } from '../server/list-query.ts'
import { CLIENT_PATCH_BODY, NEW_CLIENT_BODY } from './client-bodies.ts'
import { matchOf, withEntityTag } from './entity-tag.ts'

interface OneClient {
  Params: { id: string }
}

export function registerAdminClients(app: FastifyInstance, clients: ClientManagement): void {
  app.get('/admin/clients', async (request) => {
    const { page } = readListQuery(request.query, { isId: isClientId, filters: {} })
    return await clients.list(page)
  })

  app.post<{ Body: NewClientInput }>(
    '/admin/clients',
    { schema: { body: NEW_CLIENT_BODY } },
    async (request, reply) => {
      const client = await clients.create(request.body, actOf(request))
      reply.code(201).header('location', `${request.routeOptions.url}/${client.id}`)
      return client
    },
  )

  app.get<OneClient>('/admin/clients/:id', async ({ params }, reply) =>
    withEntityTag(reply, await clients.find(params.id)),
  )

  app.patch<OneClient & { Body: ClientInput }>(
    '/admin/clients/:id',
    { schema: { body: CLIENT_PATCH_BODY } },
    async (request, reply) => {
      const { params, body } = request
      const client = await clients.update(params.id, body, actOf(request), matchOf(request))
      return withEntityTag(reply, client)
    },
  )

  app.delete<OneClient>('/admin/clients/:id', async (request, reply) => {
    await clients.delete(request.params.id, actOf(request), matchOf(request))
    return reply.code(204).send()
  })

  app.delete<OneClient>('/admin/clients/:id/sessions', async (request, reply) => {
    await clients.endSessions(request.params.id, actOf(request))
    return reply.code(204).send()
  })

  app.post<OneClient>('/admin/clients/:id/secrets', async (request, reply) => {
    const added = await clients.addSecret(request.params.id, actOf(request))
    return reply.code(201).send(added)
  })

  app.delete<{ Params: { id: string; secretId: string } }>(
    '/admin/clients/:id/secrets/:secretId',
    async (request, reply) => {
      const { id, secretId } = request.params
      await clients.removeSecret(id, secretId, actOf(request))
      return reply.code(204).send()
    },
  )
}
