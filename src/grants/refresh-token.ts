// grant_type=refresh_token: one presented token, one state change, one pair of tokens
// (RFC 6749 §6, RFC 9700 §4.14.2).

import type { Client } from '../clients/client.ts'
import type { Family, NeverRotates, RotateOutcome } from '../families/family.ts'
import {
  type AuthenticRefreshToken,
  authenticateRefreshToken,
  hashFamilySecret,
  type RefreshToken,
} from '../families/refresh-token-string.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'
import { parseResources } from '../oauth/resource.ts'
import { usableScope } from '../oauth/role-bound-scope.ts'
import { inOrder, parseScope } from '../oauth/scope.ts'
import type { SecurityEvent } from '../runtime/security-event.ts'
import type { UserRecord } from '../users/user.ts'
import { defineGrant, type GrantContext, type GrantServices, type IssuedTokens } from './grant.ts'
import { addressableAudiences, type RequestedTarget, readTarget } from './granted.ts'
import { issueUserTokens } from './issue-user-tokens.ts'

export const refreshToken = defineGrant({
  name: 'refresh_token',
  listedAs: 'refresh_token',
  loadClass: 'refresh',
  confidentialOnly: false,
  isDeprecated: false,
  parameters: ['refresh_token'],
  parse,
  issue,
})

interface RefreshTokenRequest extends RequestedTarget {
  readonly refreshToken: string
}

function parse(form: Parameters<'refresh_token' | 'scope'>): RefreshTokenRequest {
  return { refreshToken: requireParameter(form, 'refresh_token'), ...readTarget(form) }
}

/** Throws OAuthError `invalid_grant`, `invalid_scope` or `invalid_target`. */
async function issue(
  request: RefreshTokenRequest,
  context: GrantContext,
  services: GrantServices,
): Promise<IssuedTokens> {
  const presented = authenticateRefreshToken(request.refreshToken, services.rootSecrets)
  if (!presented) {
    services.onRefresh('invalid')
    throw new OAuthError('refresh_malformed')
  }
  const { scope: text, resources } = request
  const scope = text === undefined ? undefined : parseRequested(() => parseScope(text))
  const audience =
    resources.length === 0 ? undefined : parseRequested(() => parseResources(resources))
  const confirmation = await context.confirm()
  const requested = { scope: scope?.words, audience: audience?.words, confirmation }
  const outcome = await rotateCounted(presented, requested, context, services)
  const event = findNews(outcome, presented, context)
  if (event) services.recordEvent(event)
  switch (outcome.outcome) {
    case 'rotated':
    case 'kept':
    case 'retried':
      return answer(presented, outcome, requested, context, services)
    case 'replayed':
      throw new OAuthError('refresh_replayed')
    case 'refused':
      if (outcome.error === 'invalid_scope') {
        throw scope?.fault ?? new OAuthError('scope_wider_than_grant')
      }
      throw audience?.fault ?? new OAuthError('resource_wider_than_grant')
    case 'inactive':
      throw new OAuthError(`refresh_${outcome.reason}`)
  }
}

/** No scope and no resource has one (RFC 6749 §3.3, RFC 3986 §2), so no grant contains this. */
const UNREADABLE = '"'

/**
 * A malformed scope or resource is replaced by one that no grant contains, because the token is
 * checked first: a replay is a replay whatever else it asks for. The fault is thrown afterwards.
 */
function parseRequested(parse: () => string[]): { words: readonly string[]; fault?: OAuthError } {
  try {
    return { words: parse() }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return { words: [UNREADABLE], fault: error }
  }
}

interface Requested {
  /** What the sender has shown to hold. */
  readonly confirmation: Confirmation | undefined
  readonly scope: readonly string[] | undefined
  readonly audience: readonly string[] | undefined
}

type Rotation = Exclude<RotateOutcome, { outcome: 'user_stale' }>

async function rotateCounted(
  presented: RefreshToken,
  requested: Requested,
  context: GrantContext,
  services: GrantServices,
): Promise<Rotation> {
  try {
    const outcome = await rotate(presented, requested, context, services)
    services.onRefresh('behind' in outcome && outcome.behind ? 'behind' : outcome.outcome)
    return outcome
  } catch (error) {
    services.onRefresh('unavailable')
    throw error
  }
}

function rotate(
  presented: RefreshToken,
  requested: Requested,
  { client, source }: GrantContext,
  { families, clock, defaultAudience }: GrantServices,
): Promise<Rotation> {
  return families.rotate({
    userId: presented.userId,
    familyId: presented.familyId,
    secretHash: hashFamilySecret(presented.familySecret),
    generation: presented.generation,
    clientId: client.id,
    confirmation: requested.confirmation,
    nowMs: clock(),
    graceMs: client.refreshGraceSeconds * 1000,
    idleTtlMs: client.refreshIdleTtlSeconds * 1000,
    rotateAfterMs: client.refreshRotateAfterSeconds * 1000,
    neverRotates: neverRotates(client),
    clientSessionsValidFromMs: client.sessionsValidFrom.getTime(),
    requestedScope: requested.scope,
    clientScopes: client.scopes,
    requestedAudience: requested.audience,
    clientAudiences: addressableAudiences(client, defaultAudience),
    ip: source.ip,
    userAgent: source.userAgent,
  })
}

/** One token may serve many processes only where nobody else can use it (RFC 9700 §2.2.2). */
function neverRotates({ refreshRotation, type }: Client): NeverRotates {
  if (refreshRotation === 'always') return 'none'
  return type === 'confidential' ? 'all' : 'bound'
}

function answer(
  presented: AuthenticRefreshToken,
  { family, user, atMs }: { family: Family; user: UserRecord; atMs?: number },
  requested: Requested,
  { client }: GrantContext,
  services: GrantServices,
): IssuedTokens {
  const usable = usableScope(requested.scope ?? family.scope, client.scopes, user.roles)
  const scope = inOrder(usable, client.scopes)
  const addressable = addressableAudiences(client, services.defaultAudience)
  const allowed = family.audience.filter((audience) => addressable.includes(audience))
  const audience = requested.audience ? inOrder(requested.audience, allowed) : allowed.slice(0, 1)
  const granted = {
    issuer: services.issuer,
    client,
    family,
    user,
    issuedAtMs: atMs ?? family.rotatedAtMs,
    scope,
    audience,
    confirmation: requested.confirmation,
    rootSecret: presented.rootSecret,
    familySecret: presented.familySecret,
  }
  return issueUserTokens(granted, services)
}

/** The event of an outcome; undefined for an ordinary rotation, for a token that is kept and a refusal. */
function findNews(
  outcome: Rotation,
  presented: RefreshToken,
  { client, source }: GrantContext,
): SecurityEvent | undefined {
  const isOrdinary = outcome.outcome === 'rotated' || outcome.outcome === 'kept'
  if (isOrdinary && !outcome.behind) return undefined
  const about = {
    subject: presented.userId,
    sessionId: presented.familyId,
    clientId: client.id,
    ...source,
  }
  if (outcome.outcome === 'replayed') return { type: 'refresh.reuse_detected', ...about }
  if (outcome.outcome === 'retried') {
    return { type: outcome.elsewhere ? 'refresh.retried_elsewhere' : 'refresh.retried', ...about }
  }
  if (isOrdinary) return { type: 'families.store_behind', ...about }
  if (outcome.outcome === 'inactive' && outcome.reason === 'family_secret_wrong') {
    return { type: 'secret.compromised', ...about }
  }
  return undefined
}
