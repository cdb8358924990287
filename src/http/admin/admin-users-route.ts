// /admin/users: the accounts as an administrator manages them. The routes stand behind the scope
// `lineage:admin`.

import type { FastifyInstance } from 'fastify'
import type { PasswordManagement } from '../../management/password-management.ts'
import type { UserManagement } from '../../management/user-management.ts'
import type { UserFilter } from '../../users/user.ts'
import type { NewUserInput, UserPatchInput } from '../../users/user-draft.ts'
import { parseUserId } from '../../users/user-id.ts'
import { actOf } from '../server/bearer.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { bodyOf, STRING } from '../server/json-body.ts'
import { anyText, oneOf, type RulesOf, readListQuery } from '../server/list-query.ts'
import { matchOf, withEntityTag } from './entity-tag.ts'

interface OneUser {
  Params: { id: string }
}

const LIST_RULES = {
  isId: (id: string) => parseUserId(id) === id,
  filters: {
    username: anyText,
    email: anyText,
    status: oneOf('active', 'disabled'),
  } satisfies RulesOf<UserFilter>,
}

const NAME_MEMBERS = {
  username: STRING,
  email: STRING,
  emailVerified: { type: 'boolean' },
  roles: { type: 'array', items: STRING },
} as const

const CREATE_BODY = bodyOf(
  {
    ...NAME_MEMBERS,
    id: STRING,
    password: STRING,
    passwordHash: STRING,
  } satisfies Record<keyof NewUserInput, object>,
  ['username', 'email'],
)

// A merge patch (RFC 7396): no member can be removed, so null is none of these types.
const PATCH_BODY = bodyOf({
  ...NAME_MEMBERS,
  status: { type: 'string', enum: ['active', 'disabled'] },
} satisfies Record<keyof UserPatchInput, object>)

const PASSWORD_BODY = bodyOf({ password: STRING }, ['password'])

export function registerAdminUsers(
  app: FastifyInstance,
  users: UserManagement,
  passwords: PasswordManagement,
): void {
  const byId = '/admin/users/:id'

  app.get('/admin/users', async (request) => {
    const { filter, page } = readListQuery(request.query, LIST_RULES)
    return await users.list(filter, page)
  })

  app.post<{ Body: NewUserInput }>(
    '/admin/users',
    { schema: { body: CREATE_BODY } },
    async (request, reply) => {
      const user = await users.create(request.body, actOf(request), callerSignal(reply))
      reply.code(201).header('location', `${request.routeOptions.url}/${user.id}`)
      return user
    },
  )

  app.get<OneUser>(byId, async ({ params }, reply) =>
    withEntityTag(reply, await users.find(params.id)),
  )

  app.patch<OneUser & { Body: UserPatchInput }>(
    byId,
    { schema: { body: PATCH_BODY } },
    async (request, reply) => {
      const { params, body } = request
      const user = await users.update(params.id, body, actOf(request), matchOf(request))
      return withEntityTag(reply, user)
    },
  )

  app.delete<OneUser>(byId, async (request, reply) => {
    await users.delete(request.params.id, actOf(request), matchOf(request))
    return reply.code(204).send()
  })

  app.put<OneUser & { Body: { password: string } }>(
    `${byId}/password`,
    { schema: { body: PASSWORD_BODY } },
    async (request, reply) => {
      const { params, body } = request
      await passwords.setPassword(params.id, body.password, actOf(request), callerSignal(reply))
      return reply.code(204).send()
    },
  )
}
