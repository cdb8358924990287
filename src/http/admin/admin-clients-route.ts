// /admin/clients and below: the clients as an administrator manages them. Who may come here is
// decided before; every change is in force on this instance before it is answered.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Client } from '../../clients/client.ts'
import type { Checked, ClientInput } from '../../clients/client-draft.ts'
import { isClientId } from '../../clients/client-id.ts'
import type { ClientStore, NewClientInput } from '../../clients/client-store.ts'
import type { ClientTable } from '../../clients/client-table.ts'
import { mapPage } from '../../database/keyset-page.ts'
import type { RecordEvent } from '../../runtime/security-event.ts'
import { isUuid } from '../../runtime/uuid.ts'
import { ApiError, validationFailed } from '../server/api-error.ts'
import { readListQuery } from '../server/list-query.ts'
import { actOf } from '../server/request-act.ts'
import { CLIENT_PATCH_BODY, clientJson, NEW_CLIENT_BODY } from './client-json.ts'
import { requireMatch, withEntityTag } from './entity-tag.ts'

export interface AdminClientsDependencies {
  readonly clientStore: ClientStore
  readonly clients: Pick<ClientTable, 'refresh'>
  /** The path of the issuer, empty when it has none; the routes are registered under it. */
  readonly basePath: string
  readonly recordEvent: RecordEvent
}

interface OneClient {
  Params: { id: string }
}

export function registerAdminClients(app: FastifyInstance, deps: AdminClientsDependencies): void {
  const { clientStore, clients, basePath, recordEvent } = deps

  app.get('/admin/clients', async (request) => {
    const { page } = readListQuery(request.query, { isId: isClientId, filters: {} })
    return mapPage(await clientStore.list(page), clientJson)
  })

  app.post<{ Body: NewClientInput }>(
    '/admin/clients',
    { schema: { body: NEW_CLIENT_BODY } },
    async (request, reply) => {
      const { client, clientSecret } = accepted(await clientStore.create(request.body))
      recordEvent({ type: 'client.created', clientId: client.id, ...actOf(request) })
      await refreshIfPossible(clients, client.id)
      reply.code(201).header('location', `${basePath}/admin/clients/${client.id}`)
      return { ...clientJson(client), clientSecret }
    },
  )

  app.get<OneClient>('/admin/clients/:id', async ({ params }, reply) => {
    const client = found(await clientStore.find(knownId(params.id)))
    return withEntityTag(reply, clientJson(client))
  })

  app.patch<OneClient & { Body: ClientInput }>(
    '/admin/clients/:id',
    { schema: { body: CLIENT_PATCH_BODY } },
    async (request, reply) => {
      const { params, body } = request
      const check = requireMatchOf(request)
      const clientId = knownId(params.id)
      const about = { clientId, ...actOf(request, { changed: Object.keys(body) }) }
      const onChanged = () => recordEvent({ type: 'client.updated', ...about })
      const client = accepted(found(await clientStore.patch(clientId, body, check, onChanged)))
      await clients.refresh(clientId)
      return withEntityTag(reply, clientJson(client))
    },
  )

  app.delete<OneClient>('/admin/clients/:id', async (request, reply) => {
    const { id: clientId } = request.params
    const check = requireMatchOf(request)
    if (isClientId(clientId) && (await clientStore.delete(clientId, check))) {
      recordEvent({ type: 'client.deleted', clientId, ...actOf(request) })
    }
    // Also when nothing was there: this may repeat a call whose own refresh failed.
    await clients.refresh(clientId)
    return reply.code(204).send()
  })

  app.delete<OneClient>('/admin/clients/:id/sessions', async (request, reply) => {
    const { id: clientId } = request.params
    if (isClientId(clientId) && (await clientStore.endSessions(clientId))) {
      const reason = 'client_sessions_ended'
      recordEvent({ type: 'token.revoked', reason, clientId, ...actOf(request) })
    }
    await clients.refresh(clientId)
    return reply.code(204).send()
  })

  registerSecrets(app, deps)
}

function registerSecrets(app: FastifyInstance, deps: AdminClientsDependencies): void {
  const { clientStore, clients, recordEvent } = deps

  app.post<OneClient>('/admin/clients/:id/secrets', async (request, reply) => {
    const clientId = knownId(request.params.id)
    const added = found(await clientStore.addSecret(clientId))
    if (added === 'refused') {
      const detail = 'A confidential client has at most two secrets, a public client has none.'
      throw new ApiError('conflict', { detail })
    }
    const act = actOf(request, { secretId: added.id })
    recordEvent({ type: 'client.secret_added', clientId, ...act })
    await refreshIfPossible(clients, clientId)
    return reply.code(201).send(added)
  })

  app.delete<{ Params: { id: string; secretId: string } }>(
    '/admin/clients/:id/secrets/:secretId',
    async (request, reply) => {
      const { id: clientId, secretId } = request.params
      const canBe = isClientId(clientId) && isUuid(secretId)
      const removed = canBe && (await clientStore.removeSecret(clientId, secretId))
      if (removed === 'refused') {
        const detail = 'The last secret of a confidential client stays.'
        throw new ApiError('conflict', { detail })
      }
      const act = actOf(request, { secretId })
      if (removed) recordEvent({ type: 'client.secret_removed', clientId, ...act })
      await clients.refresh(clientId)
      return reply.code(204).send()
    },
  )
}

function requireMatchOf(request: FastifyRequest) {
  return (current: Client) => requireMatch(request, clientJson(current))
}

/**
 * Ignores a failure, because the answer holds the only copy of a secret. The poll refreshes later.
 */
async function refreshIfPossible(
  clients: Pick<ClientTable, 'refresh'>,
  clientId: string,
): Promise<void> {
  await clients.refresh(clientId).catch(() => {})
}

function knownId(id: string): string {
  if (!isClientId(id)) throw new ApiError('not_found')
  return id
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new ApiError('not_found')
  return value
}

function accepted<T>(checked: Checked<T>): T {
  if (!checked.ok) throw validationFailed(checked.errors)
  return checked.value
}
