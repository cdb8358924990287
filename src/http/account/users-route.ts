// POST /users: registration by oneself, where the operator has opened it. It tells which names are
// taken; docs/operations.md says so.

import type { FastifyInstance } from 'fastify'
import type { UserManagement } from '../../management/user-management.ts'
import { ApiError } from '../server/api-error.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { bodyOf, STRING } from '../server/json-body.ts'
import { sourceOf } from '../server/request-source.ts'

interface RegistrationBody {
  readonly username: string
  readonly email: string
  readonly password: string
}

const REGISTRATION_BODY = bodyOf({ username: STRING, email: STRING, password: STRING }, [
  'username',
  'email',
  'password',
])

export function registerUsers(
  app: FastifyInstance,
  users: UserManagement,
  registration: 'closed' | 'open',
): void {
  app.post<{ Body: RegistrationBody }>(
    '/users',
    {
      schema: { body: REGISTRATION_BODY },
      // Before the body is read: while registration is closed the body does not matter.
      onRequest: async () => {
        if (registration === 'closed') throw new ApiError('registration_closed')
      },
    },
    async (request, reply) => {
      const user = await users.create(request.body, sourceOf(request), callerSignal(reply))
      reply.code(201).header('location', `${request.routeOptions.url}/me`)
      return user
    },
  )
}
