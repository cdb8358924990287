// Any method on /verify and /verify/*: forward-auth for gateways (docs/semantics.md §10). Says
// whether a request may pass and, in headers, whose it is. docs/gateways.md tells what a gateway
// must do.

import type { FastifyInstance } from 'fastify'
import type { ProofTarget } from '../../dpop/proof-target.ts'
import type { DpopFault } from '../../oauth/dpop-errors.ts'
import type { IssuerNames } from '../../oauth/issuer-alias.ts'
import { logEvent } from '../../ops/log-events.ts'
import { type AccessTokenClaims, subjectTypeOf } from '../../tokens/access-token.ts'
import type { CheckedToken } from '../../tokens/check-access-token.ts'
import type { AccessCookie, TokenCookies } from '../oauth/token-cookies.ts'
import { ApiError, type ApiErrorCode } from '../server/api-error.ts'
import type { EndpointReply, EndpointRequest } from '../server/endpoint.ts'
import { toProblem } from '../server/error-handler.ts'
import {
  challengeOf,
  checkHolder,
  codeOf,
  HOLDER_FAULTS,
  type HolderCheck,
  type HolderFault,
} from '../server/holder-proof.ts'
import { challenge } from '../server/presented-token.ts'
import { methodsToRoute } from '../server/rare-methods.ts'
import { callerFields, noteCaller } from '../server/request-notes.ts'
import { ignoreBodies } from './verify-body.ts'
import { comesFromPageOf, isCookieOf, readCredential } from './verify-credential.ts'
import { type Demands, parseHeaderDemands, parseQueryDemands } from './verify-demands.ts'
import { findAppendedTarget, findToldTarget } from './verify-target.ts'

export interface VerifyRouteDependencies extends HolderCheck, IssuerNames {
  readonly cookies: Pick<TokenCookies, 'readAccessTokens'>
}

/**
 * Logged as the reason, beside those of a proof; a caller sees no more than the code. docs/gateways.md
 * explains each.
 */
export const VERIFY_REFUSALS = {
  token_absent: 'invalid_token',
  token_malformed: 'invalid_token',
  ...HOLDER_FAULTS,
  demand_malformed: 'invalid_token',
  audience_missing: 'invalid_token',
  cookie_ambiguous: 'invalid_token',
  cookie_of_other_client: 'invalid_token',
  cookie_origin_not_allowed: 'invalid_token',
  scope_missing: 'insufficient_scope',
} as const satisfies Record<string, ApiErrorCode>

type VerifyReason = keyof typeof VERIFY_REFUSALS | DpopFault

interface Refusal {
  readonly reason: VerifyReason
  /** The request brought no credentials. */
  readonly isAnonymous?: boolean
}

type Verdict = { readonly claims: AccessTokenClaims } | { readonly refusal: Refusal }

export function registerVerify(app: FastifyInstance, dependencies: VerifyRouteDependencies): void {
  ignoreBodies(app)
  // A server may refuse TRACE, which would show credentials to whoever reads the answer.
  const methods = methodsToRoute(app).filter((method) => method !== 'TRACE')
  for (const [url, parseDemands, findTarget] of [
    [
      '/verify',
      (request: EndpointRequest) => parseQueryDemands(request.raw.url ?? ''),
      findToldTarget,
    ],
    [
      '/verify/*',
      (request: EndpointRequest) => parseHeaderDemands(request.headers),
      findAppendedTarget,
    ],
  ] as const) {
    const answer = async (request: EndpointRequest, reply: EndpointReply) => {
      reply.header('cache-control', 'no-store')
      const demands = parseDemands(request)
      const target = () => findTarget(request, dependencies)
      const verdict = await checkRequest(request, reply, demands, target, dependencies)
      return 'claims' in verdict
        ? admit(reply, verdict.claims)
        : refuse(request, reply, verdict.refusal, demands)
    }
    app.route({
      method: [...methods],
      url,
      config: { front: { kind: 'read', answer, takesQuery: true } },
      // Not in the handler, which Fastify calls only after it has read the body.
      onRequest: answer,
      handler: () => {},
    })
  }
}

/** Rejects with DependencyUnavailable when it cannot be known whether the token was revoked. */
async function checkRequest(
  request: EndpointRequest,
  reply: EndpointReply,
  demands: Demands | undefined,
  findTarget: () => ProofTarget | undefined,
  dependencies: VerifyRouteDependencies,
): Promise<Verdict> {
  const credential = readCredential(request, demands?.acceptsCookie ?? false, dependencies.cookies)
  const isAnonymous = 'fault' in credential && credential.fault === 'token_absent'
  if (demands === undefined) return { refusal: { reason: 'demand_malformed', isAnonymous } }
  if ('fault' in credential) return { refusal: { reason: credential.fault, isAnonymous } }
  const held = await checkHolder(request, reply, credential.presented, findTarget, dependencies)
  if ('fault' in held) return { refusal: { reason: held.fault } }
  const { checked } = held
  noteCaller(request, { clientId: checked.client.id })
  const reason = findObstacle(request, demands, credential, checked)
  return reason ? { refusal: { reason } } : { claims: checked.claims }
}

/** Why a live token does not meet the demands; undefined if it does. */
function findObstacle(
  request: EndpointRequest,
  { audiences, scopes }: Demands,
  { cookie }: { readonly cookie?: AccessCookie },
  { claims, client }: CheckedToken,
): VerifyReason | undefined {
  if (cookie && !isCookieOf(cookie, client)) return 'cookie_of_other_client'
  if (cookie && !comesFromPageOf(request, client)) return 'cookie_origin_not_allowed'
  const addressees = [claims.aud].flat()
  const isAddressed = audiences.length === 0 || addressees.some((aud) => audiences.includes(aud))
  if (!isAddressed) return 'audience_missing'
  const held = (claims.scope ?? '').split(' ')
  return scopes.every((scope) => held.includes(scope)) ? undefined : 'scope_missing'
}

/** All of them, always: a gateway that copies them overwrites whatever the caller has sent. */
function admit(reply: EndpointReply, claims: AccessTokenClaims): EndpointReply {
  return reply
    .code(200)
    .headers({
      'x-auth-subject': claims.sub,
      'x-auth-subject-type': subjectTypeOf(claims),
      'x-auth-client': claims.client_id,
      'x-auth-scope': claims.scope || '-',
      'x-auth-roles': claims.roles?.join(' ') || '-',
      'x-auth-session': claims.sid ?? '-',
      // RFC 8693 §4.1: those who acted before have no say.
      'x-auth-actor': claims.act?.sub ?? '-',
    })
    .send()
}

function refuse(
  request: EndpointRequest,
  reply: EndpointReply,
  refusal: Refusal,
  demands: Demands | undefined,
): EndpointReply {
  const { reason } = refusal
  const error = new ApiError(isHolderFault(reason) ? codeOf(reason) : VERIFY_REFUSALS[reason])
  request.refusal = { code: error.code, reason }
  const line = { reason, status: error.status, ...callerFields(request) }
  logEvent(request.log, 'request.refused', line)
  return reply
    .code(error.status)
    .header('www-authenticate', challengeFor(refusal, request, demands))
    .type('application/problem+json')
    .send(toProblem(error, request.id))
}

function challengeFor(
  { reason, isAnonymous }: Refusal,
  request: EndpointRequest,
  demands: Demands | undefined,
): string {
  // RFC 6750 §3.1: no error is named to a request that has brought no token.
  if (isAnonymous) return 'Bearer'
  if (isHolderFault(reason)) return challengeOf(reason, request)
  const scope = reason === 'scope_missing' ? `, scope="${demands?.scopes.join(' ')}"` : ''
  return challenge(request, VERIFY_REFUSALS[reason], scope)
}

function isHolderFault(reason: VerifyReason): reason is HolderFault {
  return Object.hasOwn(HOLDER_FAULTS, reason) || !Object.hasOwn(VERIFY_REFUSALS, reason)
}
