// A forgotten password: asking for a mail, and setting a new one with the token that it brought. Both
// are open to anybody, so neither tells who has an account.

import type { FastifyInstance } from 'fastify'
import type { ConfirmationManagement } from '../../management/confirmation-management.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { bodyOf, STRING } from '../server/json-body.ts'
import { sourceOf } from '../server/request-source.ts'

interface ResetRequest {
  readonly email: string
}

interface ResetBody {
  readonly token: string
  readonly newPassword: string
}

const RESET_REQUEST = bodyOf({ email: STRING }, ['email'])
const RESET_BODY = bodyOf({ token: STRING, newPassword: STRING }, ['token', 'newPassword'])

export function registerPasswordReset(
  app: FastifyInstance,
  confirmations: ConfirmationManagement,
): void {
  app.post<{ Body: ResetRequest }>(
    '/users/password-reset',
    { schema: { body: RESET_REQUEST } },
    async (request, reply) => {
      await confirmations.requestPasswordReset(request.body.email, sourceOf(request))
      return reply.code(202).send()
    },
  )

  app.post<{ Body: ResetBody }>(
    '/users/password-reset/confirm',
    { schema: { body: RESET_BODY } },
    async (request, reply) => {
      const signal = callerSignal(reply)
      await confirmations.resetPassword(request.body, sourceOf(request), signal)
      return reply.code(204).send()
    },
  )
}
