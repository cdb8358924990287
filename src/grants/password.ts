// grant_type=password: a login, which starts a family (RFC 6749 §4.3; deprecated by RFC 9700 §2.4,
// so only for clients that list it).

import { randomUUID } from 'node:crypto'
import type { Client } from '../clients/client.ts'
import { BY_PASSWORD, type FamilyId } from '../families/family.ts'
import { hashFamilySecret, newFamilySecret } from '../families/refresh-token-string.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'
import { usableScope } from '../oauth/role-bound-scope.ts'
import type { Clock } from '../runtime/clock.ts'
import type { UserRecord } from '../users/user.ts'
import { defineGrant, type GrantContext, type GrantServices, type IssuedTokens } from './grant.ts'
import { grantAudience, grantScope, type RequestedTarget, readTarget } from './granted.ts'
import { issueUserTokens } from './issue-user-tokens.ts'
import { refreshToken } from './refresh-token.ts'

export const password = defineGrant({
  name: 'password',
  confidentialOnly: false,
  isDeprecated: true,
  parameters: ['username', 'password'],
  parse,
  issue,
})

interface PasswordRequest extends RequestedTarget {
  readonly username: string
  readonly password: string
}

function parse(form: Parameters<'username' | 'password' | 'scope'>): PasswordRequest {
  return {
    username: requireParameter(form, 'username'),
    password: requireParameter(form, 'password'),
    ...readTarget(form),
  }
}

/** Throws OAuthError `invalid_grant`, `invalid_scope`, `invalid_target` or 503. */
async function issue(
  request: PasswordRequest,
  context: GrantContext,
  services: GrantServices,
): Promise<IssuedTokens> {
  const { client, source } = context
  const granted = grantScope(client, request.scope)
  const audience = grantAudience(client, services.defaultAudience, request.resources)
  const record = await login(request, context, services)
  // Dropping a role-bound scope is silent until nothing asked for is left.
  const isNothingLeft = usableScope(granted, client.scopes, record.roles).length === 0
  if (request.scope !== undefined && isNothingLeft) throw new OAuthError('scope_role_missing')

  const secret = newFamilySecret()
  const life = lifeOf(client, services.clock)
  const created = await services.families.create({
    family: {
      familyId: randomUUID() as FamilyId,
      clientId: client.id,
      scope: granted,
      audience: audience.grant,
      amr: BY_PASSWORD,
      secretHash: hashFamilySecret(secret),
      ...life,
      ...source,
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
  const scope = usableScope(granted, client.scopes, user.roles)
  const familySecret = canRefresh(client) ? secret : undefined
  const rootSecret = services.rootSecrets.current
  const target = { scope, audience: audience.token, rootSecret, familySecret }
  return issueUserTokens({ client, family, user, ...target }, services)
}

async function login(
  request: PasswordRequest,
  { client, source, callerSignal }: GrantContext,
  services: GrantServices,
): Promise<UserRecord> {
  const { username: identifier, password } = request
  try {
    return await services.login({ identifier, password, signal: callerSignal() }, source)
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_grant') {
      // The identifier stays out: people type passwords into that field.
      const { reason } = error
      services.recordEvent({ type: 'login.failed', reason, clientId: client.id, ...source })
    }
    throw error
  }
}

function canRefresh(client: Client): boolean {
  return client.grantTypes.includes(refreshToken.name)
}

/** When a family that begins now is made, and until when it lives at most. */
function lifeOf(client: Client, clock: Clock) {
  // Never before the end of the client's sessions that is known here, even if our clock is behind
  // it.
  const createdAtMs = Math.max(clock(), client.sessionsValidFrom.getTime())
  // Without a refresh token the family lives as long as its one access token.
  const ttls = canRefresh(client)
    ? { idle: client.refreshIdleTtlSeconds, absolute: client.refreshAbsoluteTtlSeconds }
    : { idle: client.accessTokenTtlSeconds, absolute: client.accessTokenTtlSeconds }
  return {
    createdAtMs,
    idleExpiresAtMs: createdAtMs + ttls.idle * 1000,
    absoluteExpiresAtMs: createdAtMs + ttls.absolute * 1000,
  }
}
