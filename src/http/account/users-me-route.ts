// /users/me: one's own account. The routes stand behind `requireUser`.

import type { FastifyInstance } from 'fastify'
import type { PasswordManagement } from '../../management/password-management.ts'
import type { UserManagement } from '../../management/user-management.ts'
import { actOf, principalOf } from '../server/bearer.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { bodyOf, STRING } from '../server/json-body.ts'

interface PasswordBody {
  readonly currentPassword: string
  readonly newPassword: string
}

const PASSWORD_BODY = bodyOf({ currentPassword: STRING, newPassword: STRING }, [
  'currentPassword',
  'newPassword',
])

export function registerUsersMe(
  app: FastifyInstance,
  users: UserManagement,
  passwords: PasswordManagement,
): void {
  app.get('/users/me', (request) => users.findOwn(principalOf(request).userId))

  app.post<{ Body: PasswordBody }>(
    '/users/me/password',
    { schema: { body: PASSWORD_BODY } },
    async (request, reply) => {
      const own = principalOf(request)
      await passwords.changePassword(own, request.body, actOf(request), callerSignal(reply))
      return reply.code(204).send()
    },
  )
}
