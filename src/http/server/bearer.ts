// Who may use /users/me and /admin: whoever brings an access token of ours, addressed to us and checked
// online, and a proof of what it is bound to (docs/semantics.md §16, §23; RFC 6750, RFC 9449).

import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
} from 'fastify'
import { type IssuerNames, namesOf } from '../../oauth/issuer-alias.ts'
import type { Act } from '../../runtime/act.ts'
import { type Clock, toSeconds } from '../../runtime/clock.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { ApiError } from './api-error.ts'
import { challengeOf, checkHolder, codeOf, type HolderCheck } from './holder-proof.ts'
import { challenge, hasTokenCredentials, presentedTokenOf } from './presented-token.ts'
import { noteCaller } from './request-notes.ts'
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

/**
 * Lets only a user's own live token through: what somebody exchanged it for is for other services, not for
 * the account (docs/semantics.md §25).
 */
export function requireUser(holders: HolderCheck, names: IssuerNames): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const claims = await authenticate(request, reply, holders, names)
    if (claims.sid === undefined || claims.exchanged_from) {
      // RFC 6750 §3: a token that does not open this is answered with a challenge, too.
      reply.header('www-authenticate', challenge(request, 'insufficient_scope'))
      throw new ApiError('user_token_required')
    }
  }
}

/**
 * Lets only a session through that began within `maxAgeSeconds`, with the password. Behind `requireUser`; a
 * session left open does not change how its owner logs in, nor does somebody else's word for the owner.
 */
export function requireRecentLogin(maxAgeSeconds: number, clock: Clock): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const { auth_time: authTime, amr } = claimsByRequest.get(request) ?? {}
    const isRecent = authTime !== undefined && toSeconds(clock()) - authTime <= maxAgeSeconds
    if (isRecent && amr?.includes('pwd')) return
    // RFC 9470 §3, whose clients know by it that a new login helps.
    const maxAge = `, max_age="${maxAgeSeconds}"`
    const header = challenge(request, 'insufficient_user_authentication', maxAge)
    reply.header('www-authenticate', header)
    throw new ApiError('recent_login_required')
  }
}

/** Lets only a live token with the scope through. */
export function requireScope(
  scope: string,
  holders: HolderCheck,
  names: IssuerNames,
): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const claims = await authenticate(request, reply, holders, names)
    if (!(claims.scope ?? '').split(' ').includes(scope)) {
      // RFC 6750 §3.1
      reply.header(
        'www-authenticate',
        challenge(request, 'insufficient_scope', `, scope="${scope}"`),
      )
      throw new ApiError('insufficient_scope')
    }
  }
}

async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  holders: HolderCheck,
  names: IssuerNames,
) {
  const presented = presentedTokenOf(request)
  // RFC 6750 §3.1: a request without credentials gets a bare challenge.
  if (!presented) {
    const isTrying = hasTokenCredentials(request)
    reply.header('www-authenticate', isTrying ? challenge(request, 'invalid_token') : 'Bearer')
    throw new ApiError('invalid_token')
  }
  const target = () => ({
    method: request.method,
    urls: namesOf(names).map((name) => `${new URL(name).origin}${pathOf(request)}`),
  })
  const held = await checkHolder(request, reply, presented, target, holders)
  const isOurs = 'checked' in held && [held.checked.claims.aud].flat().includes(names.issuer)
  if (isOurs) {
    const { claims, client } = held.checked
    claimsByRequest.set(request, claims)
    noteCaller(request, { clientId: client.id })
    return claims
  }
  const fault = 'fault' in held ? held.fault : 'token_inactive'
  reply.header('www-authenticate', challengeOf(fault, request))
  throw new ApiError(codeOf(fault), fault === 'token_inactive' ? {} : { reason: fault })
}

/** As the request has it, in its one spelling: any other has no route. */
function pathOf({ originalUrl }: FastifyRequest): string {
  return originalUrl.split('?', 1)[0] ?? ''
}
