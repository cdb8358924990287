// grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer: an assertion of a trusted issuer about a user of
// ours, or about a subject of its own, for an access token and never a refresh token (RFC 7523 §2.1).

import { findTextClaim } from '../assertions/assertion-checks.ts'
import { readForeignJwt } from '../assertions/foreign-jwt.ts'
import type { LoginTarget } from '../factors/mfa-token.ts'
import { BY_ASSERTION } from '../families/family.ts'
import type { AssertionReason } from '../oauth/assertion-reason.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'
import { usableScope } from '../oauth/role-bound-scope.ts'
import { toSeconds } from '../runtime/clock.ts'
import { memberOf } from '../runtime/strict-json.ts'
import { isUuid } from '../runtime/uuid.ts'
import { buildExternalClaims } from '../tokens/access-token.ts'
import { type ExternalSubject, externalSubject } from '../tokens/external-subject.ts'
import { checkTrustedToken, type TrustedToken } from '../trust/check-trusted-token.ts'
import type { SubjectMapping } from '../trust/trusted-issuer.ts'
import { useTrustedToken } from '../trust/use-trusted-token.ts'
import type { UserId, UserRecord } from '../users/user.ts'
import { parseEmail } from '../users/user-names.ts'
import type { UserCredentials } from '../users/user-row.ts'
import { defineGrant, type GrantContext, type GrantServices, type IssuedTokens } from './grant.ts'
import { grantAudience, grantScope, type RequestedTarget, readTarget } from './granted.ts'
import { checkScopeLeft, startSession } from './start-session.ts'

const NAME = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export const jwtBearer = defineGrant({
  name: NAME,
  listedAs: NAME,
  loadClass: 'login',
  // Whoever finds an assertion must not find the client that takes it, too.
  confidentialOnly: true,
  isDeprecated: false,
  parameters: ['assertion'],
  parse,
  issue,
})

interface BearerRequest extends RequestedTarget {
  readonly assertion: string
}

function parse(form: Parameters<'assertion' | 'scope'>): BearerRequest {
  return { assertion: requireParameter(form, 'assertion'), ...readTarget(form) }
}

/** Throws OAuthError `invalid_grant`, `invalid_scope` or `invalid_target`. */
async function issue(
  request: BearerRequest,
  context: GrantContext,
  services: GrantServices,
): Promise<IssuedTokens> {
  const { client, source } = context
  const target: LoginTarget = {
    scope: grantScope(client, request.scope),
    isScopeAsked: request.scope !== undefined,
    audience: grantAudience(client, services.defaultAudience, request.resources),
  }
  const { jwt, problem: unreadable } = readForeignJwt(request.assertion)
  if (!jwt) throw refuse(unreadable, context, services)
  const { token, problem } = await checkTrustedToken(jwt, services.trust)
  if (!token) throw refuse(problem, context, services)
  const subject = await findSubject(token, context, services)
  const isExternal = typeof subject === 'string'
  checkScopeLeft(target, client, isExternal ? NO_ROLES : subject)
  // Last, so that it is not used up where a store is away or something else is wrong.
  const used = await useTrustedToken(token, { clientId: client.id, ...source }, services.trust)
  if (used) throw refuse(used, context, services)
  if (isExternal) return await issueExternal(subject, target, context, services)
  const login = { record: subject, amr: BY_ASSERTION, target, isRefreshable: false }
  return await startSession(login, context, services)
}

const NO_ROLES: Pick<UserRecord, 'roles'> = { roles: [] }

/** Whom the token is about: one of our users, or a subject of its issuer's own. Throws OAuthError. */
async function findSubject(
  token: TrustedToken,
  context: GrantContext,
  services: GrantServices,
): Promise<ExternalSubject | UserRecord> {
  const { id, subjects } = token.issuer
  if (!subjects) throw refuse('no_subjects', context, services)
  if (subjects.mode === 'own') {
    const name = externalSubject(id, token.subject)
    if (!name) throw refuse('subject_wrong', context, services)
    return name
  }
  const user = await findUser(token, subjects, services)
  // Whoever signs there does not tell us how many factors it has asked for.
  const isAllowed = user?.user.status === 'active' && !context.client.requireFactor
  if (!user || !isAllowed) throw refuse('user_refused', context, services)
  return user.record
}

/** The same answer for every refusal. */
function refuse(
  problem: AssertionReason,
  { client, source }: GrantContext,
  { recordEvent }: GrantServices,
): OAuthError {
  const reason = `grant_assertion_${problem}` as const
  recordEvent({ type: 'login.failed', reason, clientId: client.id, ...source })
  return new OAuthError(reason)
}

/** Ours, named by id, or by an address that both sides have verified. */
async function findUser(
  { jwt }: TrustedToken,
  subjects: SubjectMapping,
  { users }: GrantServices,
): Promise<UserCredentials | undefined> {
  if (subjects.mode !== 'users') return undefined
  const { claim, match } = subjects
  const said = claim === 'sub' ? findTextClaim(jwt, 'sub') : memberOf(jwt.claims, claim)
  if (typeof said !== 'string') return undefined
  if (match === 'id') return isUuid(said) ? await users.findCredentials(said as UserId) : undefined
  const email = parseEmail(said)
  // In its one spelling: what has to be normalised first is only like the address.
  if (email?.value !== said || memberOf(jwt.claims, 'email_verified') !== true) return undefined
  const found = await users.findForLogin({ emailKey: email.key })
  return found?.user.emailVerified ? found : undefined
}

/** Of no session and no role: scopes that need a role are never granted. */
async function issueExternal(
  subject: ExternalSubject,
  target: LoginTarget,
  { client, confirm }: GrantContext,
  { tokens, issuer, clock }: GrantServices,
): Promise<IssuedTokens> {
  const scope = usableScope(target.scope, client.scopes, [])
  const confirmation = await confirm()
  const nowMs = Math.max(clock(), client.sessionsValidFrom.getTime())
  const audience = target.audience.token
  const claims = buildExternalClaims({
    ...{ subject, client, scope, audience, confirmation, issuer, nowMs },
  })
  return {
    accessToken: tokens.sign(claims, client),
    expiresInSeconds: claims.exp - toSeconds(nowMs),
    scope,
    refreshToken: undefined,
  }
}
