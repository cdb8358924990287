// /admin/keys: the signing keys as an operator sees them, and rotation by hand.

import type { FastifyInstance } from 'fastify'
import type { KeyManagement } from '../../management/key-management.ts'
import { actOf } from '../server/bearer.ts'
import { readListQuery } from '../server/list-query.ts'

const ROTATE_BODY = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { compromised: { type: 'boolean' }, alg: { type: 'string' } },
} as const

export function registerAdminKeys(app: FastifyInstance, keys: KeyManagement): void {
  app.get('/admin/keys', async (request) => {
    const { page } = readListQuery(request.query, { filters: {} })
    return keys.list(page)
  })

  app.post<{ Body: { compromised?: boolean; alg?: string } | null }>(
    '/admin/keys/rotate',
    { schema: { body: ROTATE_BODY } },
    async (request, reply) => {
      const { compromised = false, alg } = request.body ?? {}
      const { key, created } = await keys.rotate({ compromised, alg }, actOf(request))
      return reply.code(created ? 201 : 200).send(key)
    },
  )
}
