// /admin/trusted-issuers and below: whose tokens are believed besides our own. Who may come here is
// decided before.

import type { FastifyInstance } from 'fastify'
import type { TrustManagement } from '../../management/trust-management.ts'
import { ISSUER_KINDS } from '../../trust/trusted-issuer.ts'
import {
  isTrustedIssuerId,
  type NewTrustedIssuerInput,
  type TrustedIssuerPatch,
} from '../../trust/trusted-issuer-draft.ts'
import { actOf } from '../server/bearer.ts'
import { bodyOf, STRING } from '../server/json-body.ts'
import { readListQuery } from '../server/list-query.ts'
import { matchOf, withEntityTag } from './entity-tag.ts'

interface OneIssuer {
  Params: { id: string }
}

const PATH = '/admin/trusted-issuers/:id'

const SUBJECTS = {
  type: 'object',
  additionalProperties: false,
  required: ['mode'],
  properties: {
    mode: { type: 'string', enum: ['users', 'own'] },
    claim: STRING,
    match: { type: 'string', enum: ['id', 'email'] },
  },
}

/** RFC 7396: any of them may be null, which puts it back to its default. */
const CHANGEABLE = {
  jwks: { type: 'object', nullable: true },
  jwksUri: { ...STRING, nullable: true },
  allowPrivateNetwork: { type: 'boolean', nullable: true },
  audience: { ...STRING, nullable: true },
  algs: { type: 'array', items: STRING, nullable: true },
  // ajv wants null among the values of a nullable enum.
  replay: { type: 'string', enum: ['single_use', 'reusable', null], nullable: true },
  subjects: { ...SUBJECTS, nullable: true },
} satisfies Record<keyof TrustedIssuerPatch, object>

const NEW_ISSUER_BODY = bodyOf(
  { id: STRING, issuer: STRING, kind: { type: 'string', enum: ISSUER_KINDS }, ...CHANGEABLE },
  ['id', 'issuer', 'kind'],
)

const ISSUER_PATCH_BODY = bodyOf(CHANGEABLE)

export function registerAdminTrustedIssuers(app: FastifyInstance, trust: TrustManagement): void {
  app.get('/admin/trusted-issuers', async (request) => {
    const { page } = readListQuery(request.query, { isId: isTrustedIssuerId, filters: {} })
    return await trust.list(page)
  })

  app.post<{ Body: NewTrustedIssuerInput }>(
    '/admin/trusted-issuers',
    { schema: { body: NEW_ISSUER_BODY } },
    async (request, reply) => {
      const issuer = await trust.create(request.body, actOf(request))
      reply.code(201).header('location', `${request.routeOptions.url}/${issuer.id}`)
      return issuer
    },
  )

  app.get<OneIssuer>(PATH, async ({ params }, reply) =>
    withEntityTag(reply, await trust.find(params.id)),
  )

  app.patch<OneIssuer & { Body: TrustedIssuerPatch }>(
    PATH,
    { schema: { body: ISSUER_PATCH_BODY } },
    async (request, reply) => {
      const { params, body } = request
      const issuer = await trust.update(params.id, body, actOf(request), matchOf(request))
      return withEntityTag(reply, issuer)
    },
  )

  app.delete<OneIssuer>(PATH, async (request, reply) => {
    await trust.delete(request.params.id, actOf(request), matchOf(request))
    return reply.code(204).send()
  })
}
