// POST /users: registration by oneself, where the operator has opened it. It tells which names are
// taken; docs/operations.md says so.

import type { FastifyInstance } from 'fastify'
import type { UserManagement } from '../../management/user-management.ts'
import { ApiError } from '../server/api-error.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { sourceOf } from '../server/request-source.ts'

export interface UsersRouteDependencies {
  /** The issuer's path, without a trailing slash. */
  readonly basePath: string
  readonly config: { readonly registration: 'closed' | 'open' }
  readonly users: UserManagement
}

interface RegistrationBody {
  readonly username: string
  readonly email: string
  readonly password: string
}

const REGISTRATION_BODY = {
  type: 'object',
  required: ['username', 'email', 'password'],
  additionalProperties: false,
  properties: {
    username: { type: 'string' },
    email: { type: 'string' },
    password: { type: 'string' },
  },
} as const

export function registerUsers(app: FastifyInstance, dependencies: UsersRouteDependencies): void {
  const { basePath, config, users } = dependencies
  app.post<{ Body: RegistrationBody }>(
    '/users',
    {
      schema: { body: REGISTRATION_BODY },
      // Before the body is read: while registration is closed the body does not matter.
      onRequest: async () => {
        if (config.registration === 'closed') throw new ApiError('registration_closed')
      },
    },
    async (request, reply) => {
      const user = await users.create(request.body, sourceOf(request), callerSignal(reply))
      return reply.code(201).header('location', `${basePath}/users/me`).send(user)
    },
  )
}
