// Who may use /users/me and /admin: a bearer access token of ours, addressed to us and checked
// online (docs/semantics.md §16, RFC 6750).

import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
} from 'fastify'
import type { Act } from '../../runtime/act.ts'
import { type Clock, toSeconds } from '../../runtime/clock.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import type { TokenChecker } from '../../tokens/check-access-token.ts'
import { ApiError } from './api-error.ts'
import type { EndpointRequest } from './endpoint.ts'
import { isRepeated } from './repeated-header.ts'
import { noteCaller } from './request-client.ts'
import { sourceOf } from './request-source.ts'

/** What the tokens say of the requests that passed a check of this file. */
const claimsByRequest = new WeakMap<FastifyRequest, AccessTokenClaims>()

/** The user and the session of a request that passed `requireUser`. */
export function principalOf(request: FastifyRequest) {
  const claims = claimsByRequest.get(request)
  if (claims?.sid === undefined) throw new Error('principalOf needs a route behind requireUser')
  return { userId: claims.sub, familyId: claims.sid }
}

/** Who asks for a change, a user or a client, and from where; of a request that passed a check. */
export function actOf(request: FastifyRequest): Act {
  const claims = claimsByRequest.get(request)
  if (!claims) throw new Error('actOf needs a route behind a bearer check')
  return { by: claims.sub, ...sourceOf(request) }
}

/**
 * Puts a check of this file before the routes of the scope: before a body is read, so that strangers send
 * none, and again after it. How long that takes is for its sender to say, and what was ended meanwhile
 * must change nothing more.
 */
export function admitOnly(app: FastifyInstance, check: onRequestAsyncHookHandler): void {
  app.addHook('onRequest', check)
  app.addHook('preValidation', async function (this: FastifyInstance, request, reply) {
    if (isBodyAwaited(request)) await check.call(this, request, reply)
  })
}

/** RFC 9112 §6.3: without either of the two a request has no body. */
function isBodyAwaited({ headers }: FastifyRequest): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
  return length !== '0' || coding !== undefined
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
  }
}

/**
 * Lets only a session through that began within `maxAgeSeconds`. Behind `requireUser`; a session left
 * open does not change how its owner logs in.
 */
export function requireRecentLogin(maxAgeSeconds: number, clock: Clock): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const { auth_time: authTime } = claimsByRequest.get(request) ?? {}
    if (authTime !== undefined && toSeconds(clock()) - authTime <= maxAgeSeconds) return
    // RFC 9470 §3, whose clients know by it that a new login helps.
    const challenge = `Bearer error="insufficient_user_authentication", max_age="${maxAgeSeconds}"`
    reply.header('www-authenticate', challenge)
    throw new ApiError('recent_login_required')
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
export function bearerTokenOf(
  request: Pick<EndpointRequest, 'raw' | 'headers'>,
): string | undefined {
  if (isRepeated(request, 'authorization')) return undefined
  // RFC 9110 §11.1: the scheme is case-insensitive.
  return /^bearer +([\w.~+/-]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Whether the request tries to bring a bearer token; another scheme counts as no credentials. */
export function hasBearerCredentials(request: Pick<EndpointRequest, 'raw' | 'headers'>): boolean {
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
    claimsByRequest.set(request, checked.claims)
    noteCaller(request, { clientId: checked.client.id })
    return checked.claims
  }
  // RFC 6750 §3.1: a request without credentials gets a bare challenge.
  const isBearing = hasBearerCredentials(request)
  reply.header('www-authenticate', isBearing ? 'Bearer error="invalid_token"' : 'Bearer')
  throw new ApiError('invalid_token')
}
