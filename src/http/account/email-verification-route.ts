// The own address: asking for a mail to it, and confirming it with the token that the mail brought,
// which may be on another device, where nobody is logged in.

import type { FastifyInstance } from 'fastify'
import type { ConfirmationManagement } from '../../management/confirmation-management.ts'
import { actOf, principalOf } from '../server/bearer.ts'
import { bodyOf, STRING } from '../server/json-body.ts'
import { sourceOf } from '../server/request-source.ts'

interface VerificationBody {
  readonly token: string
}

const VERIFICATION_BODY = bodyOf({ token: STRING }, ['token'])

/** Behind requireUser. */
export function registerOwnEmailVerification(
  app: FastifyInstance,
  confirmations: ConfirmationManagement,
): void {
  app.post('/users/me/email-verification', async (request, reply) => {
    await confirmations.requestEmailVerification(principalOf(request).userId, actOf(request))
    return reply.code(202).send()
  })
}

export function registerEmailVerification(
  app: FastifyInstance,
  confirmations: ConfirmationManagement,
): void {
  app.post<{ Body: VerificationBody }>(
    '/users/email-verification/confirm',
    { schema: { body: VERIFICATION_BODY } },
    async (request, reply) => {
      await confirmations.verifyEmail(request.body.token, sourceOf(request))
      return reply.code(204).send()
    },
  )
}
