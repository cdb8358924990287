// grant_type=password: a login, which starts a family (RFC 6749 §4.3; deprecated by RFC 9700 §2.4,
// so only for clients that list it).

import { randomUUID } from 'node:crypto'
import type { Client } from '../clients/client.ts'
import type { Families } from '../families/families.ts'
import type { CreateFamily, FamilyId } from '../families/family.ts'
import {
  hashFamilySecret,
  mintRefreshToken,
  newFamilySecret,
} from '../families/refresh-token-string.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import type { PasswordRequest } from '../oauth/token-request.ts'
import { type Clock, toSeconds } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { buildUserClaims } from '../tokens/access-token.ts'
import type { TokenMint } from '../tokens/token-mint.ts'
import type { IssuedTokens } from '../tokens/token-response.ts'
import type { UserRecord } from '../users/user.ts'
import type { GrantContext, Source } from './grant-context.ts'
import { grantAudience, grantScope, usableScope } from './granted.ts'

export interface PasswordGrant {
  /** Does equal work and gives equal answers for every refusal (DESIGN §7). */
  readonly login: (
    credentials: { identifier: string; password: string; signal: AbortSignal },
    source: Source,
  ) => Promise<UserRecord>
  readonly families: Families
  readonly tokens: Pick<TokenMint, 'sign'>
  readonly rootSecrets: RootSecrets
  readonly issuer: string
  readonly defaultAudience: string
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

/** Throws OAuthError `invalid_grant`, `invalid_scope`, `invalid_target` or 503. */
export async function issueByPassword(
  request: PasswordRequest,
  context: GrantContext,
  grant: PasswordGrant,
): Promise<IssuedTokens> {
  const { client, source } = context
  const scope = grantScope(client, request.scope)
  const audience = grantAudience(client, grant.defaultAudience, request.resources)
  const record = await login(request, context, grant)
  const usable = usableScope(scope, client, record.roles)
  // Dropping a role-bound scope is silent until nothing asked for is left (INTERFACE §1).
  if (request.scope !== undefined && usable.length === 0) throw new OAuthError('scope_role_missing')

  const familySecret = newFamilySecret()
  const created = await grant.families.create({
    family: newFamily({ client, source, scope, audience: audience.grant, familySecret }, grant),
    user: record,
    nowMs: grant.clock(),
    clientSessionsValidFromMs: client.sessionsValidFrom.getTime(),
  })
  if (created.outcome === 'user_moved') throw new OAuthError('login_user_moved')
  const { family, user } = created
  grant.recordEvent({
    type: 'login.succeeded',
    subject: user.userId,
    sessionId: family.familyId,
    clientId: client.id,
    ...source,
  })
  const target = { scope: usable, audience: audience.token }
  const rootSecret = grant.rootSecrets.current
  const claims = buildUserClaims({ family, user, client, ...target, rootSecret, ...grant })
  const nowSeconds = toSeconds(grant.clock())
  return {
    accessToken: grant.tokens.sign(claims),
    expiresInSeconds: claims.exp - nowSeconds,
    scope: usable,
    refreshToken: canRefresh(client)
      ? {
          token: mintRefreshToken({ ...family, familySecret }, grant.rootSecrets),
          expiresInSeconds: Math.max(0, toSeconds(family.idleExpiresAtMs) - nowSeconds),
        }
      : undefined,
  }
}

async function login(
  request: PasswordRequest,
  { client, source, callerSignal }: GrantContext,
  grant: PasswordGrant,
): Promise<UserRecord> {
  const { username: identifier, password } = request
  try {
    return await grant.login({ identifier, password, signal: callerSignal() }, source)
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_grant') {
      // The identifier stays out: people type passwords into that field.
      const { reason } = error
      grant.recordEvent({ type: 'login.failed', reason, clientId: client.id, ...source })
    }
    throw error
  }
}

function canRefresh(client: Client): boolean {
  return client.grantTypes.includes('refresh_token')
}

interface NewFamily {
  readonly client: Client
  readonly source: Source
  readonly scope: readonly string[]
  readonly audience: readonly string[]
  readonly familySecret: Buffer
}

function newFamily(
  { client, source, scope, audience, familySecret }: NewFamily,
  grant: PasswordGrant,
): CreateFamily['family'] {
  // Who logs in where the end of the client's sessions is known comes after it.
  const createdAtMs = Math.max(grant.clock(), client.sessionsValidFrom.getTime())
  // Without a refresh token the family lives as long as its one access token (DESIGN §6).
  const ttls = canRefresh(client)
    ? { idle: client.refreshIdleTtlSeconds, absolute: client.refreshAbsoluteTtlSeconds }
    : { idle: client.accessTokenTtlSeconds, absolute: client.accessTokenTtlSeconds }
  return {
    familyId: randomUUID() as FamilyId,
    clientId: client.id,
    scope,
    audience,
    secretHash: hashFamilySecret(familySecret),
    createdAtMs,
    idleExpiresAtMs: createdAtMs + ttls.idle * 1000,
    absoluteExpiresAtMs: createdAtMs + ttls.absolute * 1000,
    ...source,
  }
}
