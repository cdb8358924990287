// POST /users: registration by oneself, where the operator has opened it. It tells which names are
// taken; docs/operations.md says so.

import type { FastifyInstance } from 'fastify'
import type { RecordEvent } from '../../runtime/security-event.ts'
import type { PasswordHasher } from '../../users/password-hasher.ts'
import type { PasswordLimits } from '../../users/password-policy.ts'
import type { UserStore } from '../../users/user-store.ts'
import { ApiError } from '../server/api-error.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { sourceOf } from '../server/request-source.ts'
import { findPasswordErrors, readNames, toUserJson } from './user-json.ts'

export interface UsersRouteDependencies {
  /** The issuer's path, without a trailing slash. */
  readonly basePath: string
  readonly config: { readonly registration: 'closed' | 'open' } & PasswordLimits
  readonly users: Pick<UserStore, 'create'>
  readonly hasher: PasswordHasher
  readonly recordEvent: RecordEvent
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
  const { basePath, config, users, hasher, recordEvent } = dependencies
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
      const { password } = request.body
      const names = readNames(request.body, findPasswordErrors('/password', password, config))
      const passwordHash = await hasher.hash(password, callerSignal(reply))
      const user = await users.create({ ...names, passwordHash })
      recordEvent({ type: 'user.created', subject: user.id, ...sourceOf(request) })
      return reply.code(201).header('location', `${basePath}/users/me`).send(toUserJson(user))
    },
  )
}
