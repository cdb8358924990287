// Who may use /users/me and /admin: a bearer access token of ours, addressed to us and checked
// online (docs/semantics.md §16, RFC 6750).

import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import type { FamilyId } from '../../families/family.ts'
import type { TokenChecker } from '../../tokens/check-access-token.ts'
import type { UserId } from '../../users/user.ts'
import { ApiError } from './api-error.ts'
import { isRepeated } from './repeated-header.ts'
import { noteCaller } from './request-client.ts'

export interface UserPrincipal {
  readonly userId: UserId
  readonly familyId: FamilyId
}

const principals = new WeakMap<FastifyRequest, UserPrincipal>()
const actors = new WeakMap<FastifyRequest, string>()

/** The user of a request that passed `requireUser`. */
export function principalOf(request: FastifyRequest): UserPrincipal {
  const principal = principals.get(request)
  if (!principal) throw new Error('principalOf needs a route behind requireUser')
  return principal
}

/** Who sent a request that passed a check of this file: a user's id, or a client's. */
export function actorOf(request: FastifyRequest): string {
  const actor = actors.get(request)
  if (actor === undefined) throw new Error('actorOf needs a route behind a bearer check')
  return actor
}

/** Lets only a user's own live token through. */
export function requireUser(checker: TokenChecker, issuer: string): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const claims = await authenticate(request, reply, checker, issuer)
    if (claims.sid === undefined) {
      // RFC 6750 §3: a token that does not open this is answered with a challenge, too.
      reply.header('www-authenticate', 'Bearer error="insufficient_scope"')
      throw new ApiError('user_token_required')
    }
    principals.set(request, { userId: claims.sub as UserId, familyId: claims.sid as FamilyId })
  }
}

/** Lets only a live token with the scope through. */
export function requireScope(
  scope: string,
  checker: TokenChecker,
  issuer: string,
): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const claims = await authenticate(request, reply, checker, issuer)
    if (!(claims.scope ?? '').split(' ').includes(scope)) {
      // RFC 6750 §3.1
      reply.header('www-authenticate', `Bearer error="insufficient_scope", scope="${scope}"`)
      throw new ApiError('insufficient_scope')
    }
  }
}

/** What the one Authorization header holds, in the form of RFC 6750 §2.1. */
export function bearerTokenOf(request: FastifyRequest): string | undefined {
  if (isRepeated(request, 'authorization')) return undefined
  // RFC 9110 §11.1: the scheme is case-insensitive.
  return /^bearer +([\w.~+/-]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Whether the request tries to bring a bearer token; another scheme counts as no credentials. */
export function hasBearerCredentials(request: FastifyRequest): boolean {
  const { authorization = '' } = request.headers
  return /^bearer\b/i.test(authorization) || isRepeated(request, 'authorization')
}

async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  checker: TokenChecker,
  issuer: string,
) {
  const token = bearerTokenOf(request)
  const checked = token === undefined ? undefined : await checker.check(token)
  if (checked?.claims.aud && [checked.claims.aud].flat().includes(issuer)) {
    actors.set(request, checked.claims.sub)
    noteCaller(request, { clientId: checked.client.id })
    return checked.claims
  }
  // RFC 6750 §3.1: a request without credentials gets a bare challenge.
  const isBearing = hasBearerCredentials(request)
  reply.header('www-authenticate', isBearing ? 'Bearer error="invalid_token"' : 'Bearer')
  throw new ApiError('invalid_token')
}
