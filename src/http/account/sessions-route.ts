// The sessions that people can see and end: their own under /users/me, anybody's under /admin.

import type { FastifyInstance } from 'fastify'
import type { SessionManagement } from '../../management/session-management.ts'
import type { UserManagement } from '../../management/user-management.ts'
import { actOf, principalOf } from '../server/bearer.ts'
import { oneOf, readListQuery } from '../server/list-query.ts'

const LIST_RULES = { filters: { status: oneOf('active', 'ended') } }

interface OneSession {
  Params: { sessionId: string }
}

/** Behind requireUser. Ending all leaves this one. */
export function registerOwnSessions(app: FastifyInstance, sessions: SessionManagement): void {
  app.get('/users/me/sessions', async (request) => {
    const { userId, familyId } = principalOf(request)
    const { filter, page } = readListQuery(request.query, LIST_RULES)
    return await sessions.list(userId, { ...filter, page, currentFamilyId: familyId })
  })

  app.delete('/users/me/sessions', async (request, reply) => {
    const { userId, familyId } = principalOf(request)
    await sessions.endAll(userId, actOf(request), familyId)
    return reply.code(204).send()
  })

  app.delete<OneSession>('/users/me/sessions/:sessionId', async (request, reply) => {
    const { userId } = principalOf(request)
    await sessions.end(userId, request.params.sessionId, 'revoked_by_user', actOf(request))
    return reply.code(204).send()
  })
}

interface OneUser {
  Params: { id: string }
}

/** Behind the admin scope. Deletes answer 204 whatever was there. */
export function registerAdminSessions(
  app: FastifyInstance,
  users: Pick<UserManagement, 'find'>,
  sessions: SessionManagement,
): void {
  app.get<OneUser>('/admin/users/:id/sessions', async ({ params, query }) => {
    const { id } = await users.find(params.id)
    const { filter, page } = readListQuery(query, LIST_RULES)
    return await sessions.list(id, { ...filter, page })
  })

  app.delete<OneUser>('/admin/users/:id/sessions', async (request, reply) => {
    await sessions.endAll(request.params.id, actOf(request))
    return reply.code(204).send()
  })

  app.delete<{ Params: OneUser['Params'] & OneSession['Params'] }>(
    '/admin/users/:id/sessions/:sessionId',
    async (request, reply) => {
      const { id, sessionId } = request.params
      await sessions.end(id, sessionId, 'revoked_by_admin', actOf(request))
      return reply.code(204).send()
    },
  )
}
