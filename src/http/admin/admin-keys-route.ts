// /admin/keys: the signing keys as an operator sees them, and rotation by hand (DESIGN §8).

import type { FastifyInstance } from 'fastify'
import type { SigningKeys } from '../../keys/signing-keys.ts'
import { buildPage, parsePageRequest } from '../server/pagination.ts'
import { actOf } from '../server/request-act.ts'

const ROTATE_BODY = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { compromised: { type: 'boolean' } },
} as const

export function registerAdminKeys(
  app: FastifyInstance,
  keys: Pick<SigningKeys, 'list' | 'rotate'>,
): void {
  app.get('/admin/keys', async (request) => {
    const page = parsePageRequest(request.query)
    const after = page.after
    const rows = keys.list().map((key) => ({ key, at: new Date(key.publishedAt), id: key.kid }))
    const rest = rows.filter(
      ({ at, id }) =>
        !after || at > after.at || (at.getTime() === after.at.getTime() && id > after.id),
    )
    return buildPage(
      rest.slice(0, page.limit + 1),
      page,
      (row) => row,
      (row) => row.key,
    )
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
