// /admin/keys: the signing keys as an operator sees them, and rotation by hand (docs/semantics.md
// §8).

import type { FastifyInstance } from 'fastify'
import { takePage } from '../../database/keyset-page.ts'
import type { KeyRing } from '../../keys/key-ring.ts'
import { readListQuery } from '../server/list-query.ts'
import { actOf } from '../server/request-act.ts'

const ROTATE_BODY = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { compromised: { type: 'boolean' } },
} as const

export function registerAdminKeys(
  app: FastifyInstance,
  keys: Pick<KeyRing, 'list' | 'rotate'>,
): void {
  app.get('/admin/keys', async (request) => {
    const { page } = readListQuery(request.query, { filters: {} })
    return takePage(keys.list(), page, ({ publishedAt, kid }) => ({
      at: new Date(publishedAt),
      id: kid,
    }))
  })

  app.post<{ Body: { compromised?: boolean } | null }>(
    '/admin/keys/rotate',
    { schema: { body: ROTATE_BODY } },
    async (request, reply) => {
      const compromised = request.body?.compromised ?? false
      const { key, created } = await keys.rotate({ compromised, act: actOf(request) })
      return reply.code(created ? 201 : 200).send(key)
    },
  )
}
