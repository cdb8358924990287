// /admin/users: the accounts as an administrator manages them. The routes
// stand behind the scope `lineage:admin`.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { mapPage } from '../../database/keyset-page.ts'
import type { FieldError } from '../../runtime/field-error.ts'
import type { RecordEvent } from '../../runtime/security-event.ts'
import type { PasswordCosts } from '../../users/password-costs.ts'
import { PASSWORD_HASH_RULE, parsePasswordHash } from '../../users/password-hash.ts'
import type { PasswordHasher } from '../../users/password-hasher.ts'
import type { PasswordLimits } from '../../users/password-policy.ts'
import type { User } from '../../users/user.ts'
import { parseUserId } from '../../users/user-id.ts'
import { ROLE, ROLES_MAX } from '../../users/user-roles.ts'
import type { UserFilter, UserStore } from '../../users/user-store.ts'
import { findPasswordErrors, readGivenNames, readNames, toUserJson } from '../account/user-json.ts'
import { ApiError, validationFailed } from '../server/api-error.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { anyText, oneOf, type RulesOf, readListQuery } from '../server/list-query.ts'
import { actOf } from '../server/request-act.ts'
import { requireMatch, withEntityTag } from './entity-tag.ts'

export interface AdminUsersRouteDependencies {
  /** The issuer's path, without a trailing slash. */
  readonly basePath: string
  readonly config: PasswordLimits
  readonly users: Pick<
    UserStore,
    'create' | 'findById' | 'list' | 'patch' | 'setPassword' | 'delete'
  >
  readonly hasher: PasswordHasher
  readonly passwordCosts: Pick<PasswordCosts, 'include'>
  readonly recordEvent: RecordEvent
}

interface CreateBody {
  readonly id?: string
  readonly username: string
  readonly email: string
  readonly password?: string
  readonly passwordHash?: string
  readonly emailVerified?: boolean
  readonly roles?: string[]
}

interface PatchBody {
  readonly username?: string
  readonly email?: string
  readonly emailVerified?: boolean
  readonly status?: 'active' | 'disabled'
  readonly roles?: string[]
}

interface ById {
  readonly id: string
}

const NAME_MEMBERS = {
  username: { type: 'string' },
  email: { type: 'string' },
  emailVerified: { type: 'boolean' },
  roles: {
    type: 'array',
    maxItems: ROLES_MAX,
    uniqueItems: true,
    items: { type: 'string', pattern: ROLE.source },
  },
} as const

const CREATE_BODY = {
  type: 'object',
  required: ['username', 'email'],
  additionalProperties: false,
  properties: {
    ...NAME_MEMBERS,
    id: { type: 'string' },
    password: { type: 'string' },
    passwordHash: { type: 'string' },
  },
} as const

// A merge patch (RFC 7396): no member can be removed, so null is none of these types.
const PATCH_BODY = {
  type: 'object',
  additionalProperties: false,
  properties: { ...NAME_MEMBERS, status: { type: 'string', enum: ['active', 'disabled'] } },
} as const

const PASSWORD_BODY = {
  type: 'object',
  required: ['password'],
  additionalProperties: false,
  properties: { password: { type: 'string' } },
} as const

const LIST_RULES = {
  isId: (id: string) => parseUserId(id) === id,
  filters: {
    username: anyText,
    email: anyText,
    status: oneOf('active', 'disabled'),
  } satisfies RulesOf<UserFilter>,
}

export function registerAdminUsers(
  app: FastifyInstance,
  dependencies: AdminUsersRouteDependencies,
): void {
  registerCollection(app, dependencies)
  registerSingle(app, dependencies)
}

function registerCollection(app: FastifyInstance, dependencies: AdminUsersRouteDependencies): void {
  const { basePath, config, users, hasher, passwordCosts, recordEvent } = dependencies
  app.get('/admin/users', async (request) => {
    const { filter, page } = readListQuery(request.query, LIST_RULES)
    return mapPage(await users.list(filter, page), toUserJson)
  })

  app.post<{ Body: CreateBody }>(
    '/admin/users',
    { schema: { body: CREATE_BODY } },
    async (request, reply) => {
      const { id, password, passwordHash, emailVerified, roles } = request.body
      const errors = [
        ...(id !== undefined && !parseUserId(id)
          ? [{ pointer: '/id', detail: 'must be a UUID' }]
          : []),
        ...findCredentialErrors(password, passwordHash, config),
      ]
      const user = await users.create({
        ...readNames(request.body, errors),
        id: id === undefined ? undefined : parseUserId(id),
        passwordHash: passwordHash ?? (await hasher.hash(password ?? '', callerSignal(reply))),
        emailVerified,
        roles,
      })
      const cost = passwordHash === undefined ? undefined : parsePasswordHash(passwordHash)
      if (cost) passwordCosts.include(cost)
      recordEvent({ type: 'user.created', subject: user.id, ...actOf(request) })
      const location = `${basePath}/admin/users/${user.id}`
      return reply.code(201).header('location', location).send(toUserJson(user))
    },
  )
}

function registerSingle(app: FastifyInstance, dependencies: AdminUsersRouteDependencies): void {
  const { config, users, hasher, recordEvent } = dependencies
  const byId = '/admin/users/:id'

  app.get<{ Params: ById }>(byId, async (request, reply) => {
    const user = await users.findById(requireUserId(request.params))
    return withEntityTag(reply, toUserJson(user ?? notFound()))
  })

  app.patch<{ Params: ById; Body: PatchBody }>(
    byId,
    { schema: { body: PATCH_BODY } },
    async (request, reply) => {
      const userId = requireUserId(request.params)
      const { emailVerified, status, roles } = request.body
      const names = readGivenNames(request.body)
      const patch = { ...names, emailVerified, status, roles }
      const onChanged = (changed: readonly string[]) => {
        const isDisabled = status === 'disabled' && changed.includes('status')
        const type = isDisabled ? 'user.disabled' : 'user.updated'
        recordEvent({ type, subject: userId, ...actOf(request, { changed }) })
      }
      const user = await users.patch(userId, patch, onChanged, requireMatchOf(request))
      return withEntityTag(reply, toUserJson(user ?? notFound()))
    },
  )

  app.delete<{ Params: ById }>(byId, async (request, reply) => {
    const userId = parseUserId(request.params.id)
    if (userId) {
      const about = { subject: userId, ...actOf(request) }
      const onChanged = () => recordEvent({ type: 'user.deleted', ...about })
      await users.delete(userId, onChanged, requireMatchOf(request))
    }
    return reply.code(204).send()
  })

  app.put<{ Params: ById; Body: { password: string } }>(
    `${byId}/password`,
    { schema: { body: PASSWORD_BODY } },
    async (request, reply) => {
      const userId = requireUserId(request.params)
      const { password } = request.body
      const errors = findPasswordErrors('/password', password, config)
      if (errors.length > 0) throw validationFailed(errors)
      // Without such a user no password is hashed.
      if (!(await users.findById(userId))) notFound()
      const passwordHash = await hasher.hash(password, callerSignal(reply))
      const about = { subject: userId, ...actOf(request) }
      const onChanged = () => recordEvent({ type: 'user.password_changed', ...about })
      if (!(await users.setPassword(userId, passwordHash, onChanged))) notFound()
      return reply.code(204).send()
    },
  )
}

function requireMatchOf(request: FastifyRequest) {
  return (current: User) => requireMatch(request, toUserJson(current))
}

/** Exactly one of the two, and that one by its rules. */
function findCredentialErrors(
  password: string | undefined,
  passwordHash: string | undefined,
  config: PasswordLimits,
): FieldError[] {
  if ((password === undefined) === (passwordHash === undefined)) {
    return [{ pointer: '/password', detail: 'either password or passwordHash must be given' }]
  }
  if (password !== undefined) return findPasswordErrors('/password', password, config)
  if (passwordHash !== undefined && parsePasswordHash(passwordHash)) return []
  return [{ pointer: '/passwordHash', detail: PASSWORD_HASH_RULE }]
}

function requireUserId({ id }: ById) {
  return parseUserId(id) ?? notFound()
}

function notFound(): never {
  throw new ApiError('not_found')
}
