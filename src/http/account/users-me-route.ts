// /users/me: one's own account. The routes stand behind `requireUser`.

import type { FastifyInstance, FastifyReply } from 'fastify'
import { reachedEpoch } from '../../families/family-rules.ts'
import type { RecordEvent } from '../../runtime/security-event.ts'
import type { PasswordHasher } from '../../users/password-hasher.ts'
import { findPasswordProblem, type PasswordLimits } from '../../users/password-policy.ts'
import type { User, UserRecord } from '../../users/user.ts'
import type { UserStore } from '../../users/user-store.ts'
import { ApiError, validationFailed } from '../server/api-error.ts'
import { principalOf } from '../server/bearer.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { actOf } from '../server/request-act.ts'
import { findPasswordErrors, toUserJson } from './user-json.ts'

export interface UsersMeRouteDependencies {
  readonly config: PasswordLimits
  readonly users: Pick<UserStore, 'findById' | 'findCredentials' | 'changePassword'>
  readonly hasher: PasswordHasher
  readonly recordEvent: RecordEvent
}

interface PasswordBody {
  readonly currentPassword: string
  readonly newPassword: string
}

const PASSWORD_BODY = {
  type: 'object',
  required: ['currentPassword', 'newPassword'],
  additionalProperties: false,
  properties: { currentPassword: { type: 'string' }, newPassword: { type: 'string' } },
} as const

export function registerUsersMe(
  app: FastifyInstance,
  dependencies: UsersMeRouteDependencies,
): void {
  const { users } = dependencies
  app.get('/users/me', async (request, reply) => {
    const user = await users.findById(principalOf(request).userId)
    return user ? toUserJson(user) : refuseToken(reply)
  })

  // Ends every family of the user but this one, which has just shown that it knows the password.
  app.post<{ Body: PasswordBody }>(
    '/users/me/password',
    { schema: { body: PASSWORD_BODY } },
    async (request, reply) => {
      const { userId, familyId } = principalOf(request)
      const { currentPassword, newPassword } = request.body
      const { config, hasher, recordEvent } = dependencies
      const signal = callerSignal(reply)
      const errors = findPasswordErrors('/newPassword', newPassword, config)
      if (errors.length > 0) throw validationFailed(errors)
      const found = await users.findCredentials(userId)
      if (!found) return refuseToken(reply)
      const problem = findPasswordProblem(currentPassword, config)
      const isMatch =
        problem !== 'too_long' &&
        problem !== 'malformed' &&
        (await hasher.verify(found.passwordHash, currentPassword, signal)).matches
      if (!isMatch) throw new ApiError('invalid_current_password')
      const passwordHash = await hasher.hash(newPassword, signal)
      // Hashing takes a while: session and current password must still be good when the change is
      // made.
      const check = (user: User, record: UserRecord): void => {
        const family = { familyId, epoch: found.record.epoch }
        if (reachedEpoch(family, record.epochLog) < record.epoch) refuseToken(reply)
        const isSamePassword = +user.passwordChangedAt === +found.user.passwordChangedAt
        if (!isSamePassword) throw new ApiError('invalid_current_password')
      }
      const onChanged = () => {
        const about = { subject: userId, sessionId: familyId, ...actOf(request) }
        recordEvent({ type: 'user.password_changed', ...about })
      }
      const from = { keptFamilyId: familyId, check }
      const isChanged = await users.changePassword(userId, passwordHash, from, onChanged)
      if (!isChanged) return refuseToken(reply)
      return reply.code(204).send()
    },
  )
}

/** The account went away, or this session was ended, after the token had been checked. */
function refuseToken(reply: FastifyReply): never {
  // RFC 6750 §3
  reply.header('www-authenticate', 'Bearer error="invalid_token"')
  throw new ApiError('invalid_token')
}
