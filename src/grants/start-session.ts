// The end of every login, in however many steps it was made: a family is created, recorded and answered
// with its first tokens.

import { randomUUID } from 'node:crypto'
import type { Client } from '../clients/client.ts'
import type { LoginTarget } from '../factors/mfa-token.ts'
import type { AuthMethod, FamilyId } from '../families/family.ts'
import { hashFamilySecret, newFamilySecret } from '../families/refresh-token-string.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { usableScope } from '../oauth/role-bound-scope.ts'
import type { Clock } from '../runtime/clock.ts'
import type { UserRecord } from '../users/user.ts'
import type { GrantContext, GrantServices, IssuedTokens } from './grant.ts'
import { issueUserTokens } from './issue-user-tokens.ts'
import { refreshToken } from './refresh-token.ts'

export interface Login {
  /** As it was read with what the user proved: a family is created only if it still holds. */
  readonly record: UserRecord
  readonly amr: readonly AuthMethod[]
  readonly target: LoginTarget
  /** Whether the client may go on with a refresh token, if it lists that grant; it may by default. */
  readonly isRefreshable?: boolean
}

/** Throws OAuthError `invalid_grant` or `invalid_scope`; rejects with DependencyUnavailable. */
export async function startSession(
  { record, amr, target, isRefreshable = true }: Login,
  { client, source, confirm }: GrantContext,
  services: GrantServices,
): Promise<IssuedTokens> {
  checkScopeLeft(target, client, record)
  const confirmation = await confirm()
  const secret = newFamilySecret()
  const isRefreshed = isRefreshable && canRefresh(client)
  const life = lifeOf(client, isRefreshed, services.clock)
  const created = await services.families.create({
    family: {
      familyId: randomUUID() as FamilyId,
      clientId: client.id,
      scope: target.scope,
      audience: target.audience.grant,
      amr,
      confirmation: client.type === 'public' ? confirmation : undefined,
      secretHash: hashFamilySecret(secret),
      ...life,
      ip: source.ip,
      userAgent: source.userAgent,
    },
    user: record,
    nowMs: life.createdAtMs,
    clientSessionsValidFromMs: client.sessionsValidFrom.getTime(),
  })
  if (created.outcome === 'user_moved') throw new OAuthError('login_user_moved')
  const { family, user } = created
  services.recordEvent({
    type: 'login.succeeded',
    subject: user.userId,
    sessionId: family.familyId,
    clientId: client.id,
    detail: { amr: family.amr },
    ...source,
  })
  // A role may have been taken away while the password was hashed; `user` is as of the creation.
  const scope = usableScope(target.scope, client.scopes, user.roles)
  const familySecret = isRefreshed ? secret : undefined
  const rootSecret = services.rootSecrets.current
  const audience = target.audience.token
  const { issuer } = services
  const granted = { issuer, scope, audience, confirmation, rootSecret, familySecret }
  return issueUserTokens({ client, family, user, ...granted }, services)
}

/** Throws `invalid_scope`: dropping a role-bound scope is silent until nothing asked for is left. */
export function checkScopeLeft(
  { scope, isScopeAsked }: LoginTarget,
  client: Client,
  { roles }: Pick<UserRecord, 'roles'>,
): void {
  const isNothingLeft = usableScope(scope, client.scopes, roles).length === 0
  if (isScopeAsked && isNothingLeft) throw new OAuthError('scope_role_missing')
}

function canRefresh(client: Client): boolean {
  return client.grantTypes.includes(refreshToken.name)
}

/** When a family that begins now is made, and until when it lives at most. */
function lifeOf(client: Client, isRefreshed: boolean, clock: Clock) {
  // Never before the end of the client's sessions that is known here, even if our clock is behind
  // it.
  const createdAtMs = Math.max(clock(), client.sessionsValidFrom.getTime())
  // Without a refresh token the family lives as long as its one access token.
  const ttls = isRefreshed
    ? { idle: client.refreshIdleTtlSeconds, absolute: client.refreshAbsoluteTtlSeconds }
    : { idle: client.accessTokenTtlSeconds, absolute: client.accessTokenTtlSeconds }
  return {
    createdAtMs,
    idleExpiresAtMs: createdAtMs + ttls.idle * 1000,
    absoluteExpiresAtMs: createdAtMs + ttls.absolute * 1000,
  }
}
