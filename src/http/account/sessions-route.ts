// Sessions that people can see and end: their own under /users/me, anybody's under /admin.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ClientTable } from '../../clients/client-table.ts'
import type { Page } from '../../database/keyset-page.ts'
import type { Families } from '../../families/families.ts'
import type { FamilyEndReason, FamilyId } from '../../families/family.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { RecordEvent } from '../../runtime/security-event.ts'
import type { UserId } from '../../users/user.ts'
import { parseUserId } from '../../users/user-id.ts'
import type { UserStore } from '../../users/user-store.ts'
import { ApiError } from '../server/api-error.ts'
import { principalOf } from '../server/bearer.ts'
import { oneOf, readListQuery } from '../server/list-query.ts'
import { actOf } from '../server/request-act.ts'
import type { SessionJson } from './session-json.ts'
import { listSessions } from './session-list.ts'

export interface SessionsRouteDependencies {
  readonly families: Pick<Families, 'index' | 'read' | 'end'>
  readonly users: Pick<UserStore, 'findById' | 'logoutEverywhere'>
  readonly clients: Pick<ClientTable, 'find'>
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

const LIST_RULES = { filters: { status: oneOf('active', 'ended') } }

/** Behind requireUser. Ending all leaves this one. */
export function registerOwnSessions(
  app: FastifyInstance,
  dependencies: SessionsRouteDependencies,
): void {
  app.get('/users/me/sessions', async (request) => {
    const { userId, familyId } = principalOf(request)
    return await pageOfSessions(userId, request.query, dependencies, familyId)
  })

  app.delete('/users/me/sessions', async (request, reply) => {
    const { userId, familyId } = principalOf(request)
    await logOutEverywhere(userId, request, dependencies, familyId)
    return reply.code(204).send()
  })

  app.delete<{ Params: { sessionId: string } }>(
    '/users/me/sessions/:sessionId',
    async (request, reply) => {
      const { userId } = principalOf(request)
      const { sessionId } = request.params
      await endSession(userId, sessionId, 'revoked_by_user', request, dependencies)
      return reply.code(204).send()
    },
  )
}

interface OneUser {
  Params: { id: string }
}

/** Behind the admin scope. Deletes answer 204 whatever was there (docs/semantics.md §16). */
export function registerAdminSessions(
  app: FastifyInstance,
  dependencies: SessionsRouteDependencies,
): void {
  const { users } = dependencies

  app.get<OneUser>('/admin/users/:id/sessions', async ({ params, query }) => {
    const userId = parseUserId(params.id)
    if (!userId || !(await users.findById(userId))) throw new ApiError('not_found')
    return await pageOfSessions(userId, query, dependencies)
  })

  app.delete<OneUser>('/admin/users/:id/sessions', async (request, reply) => {
    const userId = parseUserId(request.params.id)
    if (userId) await logOutEverywhere(userId, request, dependencies)
    return reply.code(204).send()
  })

  app.delete<{ Params: { id: string; sessionId: string } }>(
    '/admin/users/:id/sessions/:sessionId',
    async (request, reply) => {
      const { id, sessionId } = request.params
      const userId = parseUserId(id)
      if (userId) await endSession(userId, sessionId, 'revoked_by_admin', request, dependencies)
      return reply.code(204).send()
    },
  )
}

async function pageOfSessions(
  userId: UserId,
  query: unknown,
  { families, clients, clock }: SessionsRouteDependencies,
  currentFamilyId?: FamilyId,
): Promise<Page<SessionJson>> {
  const { filter, page } = readListQuery(query, LIST_RULES)
  return await listSessions(
    userId,
    { ...filter, page, currentFamilyId },
    { families, clock, findClient: (id) => clients.find(id) },
  )
}

async function logOutEverywhere(
  userId: UserId,
  request: FastifyRequest,
  { users, recordEvent }: SessionsRouteDependencies,
  keepFamilyId?: FamilyId,
): Promise<void> {
  await users.logoutEverywhere(userId, keepFamilyId, () => {
    const reason = 'logged_out_everywhere'
    recordEvent({ type: 'token.revoked', reason, subject: userId, ...actOf(request) })
  })
}

async function endSession(
  userId: UserId,
  sessionId: string,
  reason: FamilyEndReason,
  request: FastifyRequest,
  { families, clock, recordEvent }: SessionsRouteDependencies,
): Promise<void> {
  // The form of both ids is the same: a UUID in lower case.
  const familyId = parseUserId(sessionId) as FamilyId | undefined
  if (!familyId) return
  const outcome = await families.end({ userId, familyId, reason, atMs: clock() })
  if (outcome === 'ended') {
    const about = { subject: userId, sessionId: familyId, ...actOf(request) }
    recordEvent({ type: 'token.revoked', reason, ...about })
  }
}
