// /users/me/factors and /users/me/recovery-codes: one's own second factors. The routes stand behind
// `requireUser` and `requireRecentLogin`: a session that was left open must not change how its owner logs
// in.

import type { FastifyInstance } from 'fastify'
import type { FactorManagement } from '../../management/factor-management.ts'
import { actOf, principalOf } from '../server/bearer.ts'
import { bodyOf, STRING } from '../server/json-body.ts'
import { readListQuery } from '../server/list-query.ts'

interface FactorBody {
  readonly type: 'totp'
  readonly name?: string
}

const FACTOR_BODY = bodyOf({ type: { type: 'string', enum: ['totp'] }, name: STRING }, ['type'])
const CODE_BODY = bodyOf({ code: STRING }, ['code'])

interface OneFactor {
  Params: { factorId: string }
}

export function registerOwnFactors(app: FastifyInstance, factors: FactorManagement): void {
  const all = '/users/me/factors'

  app.get(all, async (request) => {
    const { userId } = principalOf(request)
    const { page } = readListQuery(request.query, { filters: {} })
    return await factors.list(userId, page)
  })

  app.post<{ Body: FactorBody }>(all, { schema: { body: FACTOR_BODY } }, async (request, reply) => {
    const factor = await factors.create(principalOf(request), request.body.name)
    reply.code(201).header('location', `${request.routeOptions.url}/${factor.id}`)
    return factor
  })

  app.post<OneFactor & { Body: { code: string } }>(
    `${all}/:factorId/activate`,
    { schema: { body: CODE_BODY } },
    async (request) => {
      const { params, body } = request
      return await factors.activate(
        principalOf(request),
        params.factorId,
        body.code,
        actOf(request),
      )
    },
  )

  app.delete<OneFactor>(`${all}/:factorId`, async (request, reply) => {
    await factors.remove(principalOf(request), request.params.factorId, actOf(request))
    return reply.code(204).send()
  })

  app.post('/users/me/recovery-codes', async (request) => ({
    recoveryCodes: await factors.renewRecoveryCodes(principalOf(request), actOf(request)),
  }))
}
