// grant_type=refresh_token: one presented token, one state change, one pair of tokens
// (RFC 6749 §6, RFC 9700 §4.14.2, DESIGN §5).

import type { Families } from '../families/families.ts'
import type { Family, RotateOutcome } from '../families/family.ts'
import {
  type AuthenticRefreshToken,
  authenticateRefreshToken,
  hashFamilySecret,
  mintRefreshToken,
  type RefreshToken,
} from '../families/refresh-token-string.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { parseResources } from '../oauth/resource.ts'
import { inOrder, parseScope } from '../oauth/scope.ts'
import type { RefreshTokenRequest } from '../oauth/token-request.ts'
import { type Clock, toSeconds } from '../runtime/clock.ts'
import type { RecordEvent, SecurityEvent } from '../runtime/security-event.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { buildUserClaims } from '../tokens/access-token.ts'
import type { TokenMint } from '../tokens/token-mint.ts'
import type { IssuedTokens } from '../tokens/token-response.ts'
import type { UserRecord } from '../users/user.ts'
import type { GrantContext } from './grant-context.ts'
import { addressableAudiences, usableScope } from './granted.ts'

export interface RefreshTokenGrant {
  readonly families: Families
  readonly tokens: Pick<TokenMint, 'sign'>
  readonly rootSecrets: RootSecrets
  readonly issuer: string
  readonly defaultAudience: string
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

/** Throws OAuthError `invalid_grant`, `invalid_scope` or `invalid_target`. */
export async function issueByRefreshToken(
  request: RefreshTokenRequest,
  context: GrantContext,
  grant: RefreshTokenGrant,
): Promise<IssuedTokens> {
  const presented = authenticateRefreshToken(request.refreshToken, grant.rootSecrets)
  if (!presented) throw new OAuthError('refresh_malformed')
  const { scope: text, resources } = request
  const scope = text === undefined ? undefined : readAsked(() => parseScope(text))
  const audience = resources.length === 0 ? undefined : readAsked(() => parseResources(resources))
  const requested = { scope: scope?.words, audience: audience?.words }
  const outcome = await rotate(presented, requested, context, grant)
  const event = describe(outcome, presented, context)
  if (event) grant.recordEvent(event)
  switch (outcome.outcome) {
    case 'rotated':
    case 'retried':
      return mint(presented, outcome.family, outcome.user, requested, context, grant)
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

/** No scope and no resource is called so, hence no grant contains it. */
const UNREADABLE = ''

/**
 * What cannot be read is asked for as something that nobody has, because the token is judged first: a
 * replay is one whatever else it asks for. The fault is for afterwards.
 */
function readAsked(parse: () => string[]): { words: readonly string[]; fault?: OAuthError } {
  try {
    return { words: parse() }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return { words: [UNREADABLE], fault: error }
  }
}

interface Requested {
  readonly scope: readonly string[] | undefined
  readonly audience: readonly string[] | undefined
}

type Rotation = Exclude<RotateOutcome, { outcome: 'user_stale' }>

function rotate(
  presented: RefreshToken,
  requested: Requested,
  { client, source }: GrantContext,
  grant: RefreshTokenGrant,
): Promise<Rotation> {
  return grant.families.rotate({
    userId: presented.userId,
    familyId: presented.familyId,
    secretHash: hashFamilySecret(presented.familySecret),
    generation: presented.generation,
    clientId: client.id,
    nowMs: grant.clock(),
    graceMs: client.refreshGraceSeconds * 1000,
    idleTtlMs: client.refreshIdleTtlSeconds * 1000,
    clientSessionsValidFromMs: client.sessionsValidFrom.getTime(),
    requestedScope: requested.scope,
    clientScopes: client.scopes,
    requestedAudience: requested.audience,
    clientAudiences: addressableAudiences(client, grant.defaultAudience),
    ip: source.ip,
    userAgent: source.userAgent,
  })
}

function mint(
  presented: AuthenticRefreshToken,
  family: Family,
  user: UserRecord,
  requested: Requested,
  { client }: GrantContext,
  grant: RefreshTokenGrant,
): IssuedTokens {
  const scope = usableScope(requested.scope ?? family.scope, client, user.roles)
  const addressable = addressableAudiences(client, grant.defaultAudience)
  const allowed = family.audience.filter((audience) => addressable.includes(audience))
  const audience = requested.audience ? inOrder(requested.audience, allowed) : allowed.slice(0, 1)
  const { rootSecret } = presented
  const claims = buildUserClaims({ family, user, client, scope, audience, rootSecret, ...grant })
  const nowSeconds = toSeconds(grant.clock())
  const { generation } = family
  return {
    accessToken: grant.tokens.sign(claims),
    expiresInSeconds: claims.exp - nowSeconds,
    scope,
    refreshToken: {
      token: mintRefreshToken({ ...presented, generation }, grant.rootSecrets),
      expiresInSeconds: Math.max(0, toSeconds(family.idleExpiresAtMs) - nowSeconds),
    },
  }
}

/** What an operator should hear of; an ordinary rotation is not news. */
function describe(
  outcome: Rotation,
  presented: RefreshToken,
  { client, source }: GrantContext,
): SecurityEvent | undefined {
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
  if (outcome.outcome === 'rotated' && outcome.behind) {
    return { type: 'families.store_behind', ...about }
  }
  if (outcome.outcome === 'inactive' && outcome.reason === 'family_secret_wrong') {
    return { type: 'secret.compromised', ...about }
  }
  return undefined
}
