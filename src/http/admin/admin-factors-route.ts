// /admin/users/{id}/factors: what administrators see of somebody's second factors, and how they help
// whoever has lost them. The routes stand behind the scope `lineage:admin`.

import type { FastifyInstance } from 'fastify'
import type { FactorManagement } from '../../management/factor-management.ts'
import type { UserManagement } from '../../management/user-management.ts'
import { parseUserId } from '../../users/user-id.ts'
import { actOf } from '../server/bearer.ts'
import { readListQuery } from '../server/list-query.ts'

interface OneUser {
  Params: { id: string }
}

/** The delete answers 204 whatever was there. */
export function registerAdminFactors(
  app: FastifyInstance,
  users: Pick<UserManagement, 'find'>,
  factors: FactorManagement,
): void {
  const ofUser = '/admin/users/:id/factors'

  app.get<OneUser>(ofUser, async ({ params, query }) => {
    const { id } = await users.find(params.id)
    const { page } = readListQuery(query, { filters: {} })
    return await factors.list(id, page)
  })

  app.delete<OneUser>(ofUser, async (request, reply) => {
    const userId = parseUserId(request.params.id)
    if (userId) await factors.removeAll(userId, actOf(request))
    return reply.code(204).send()
  })
}
