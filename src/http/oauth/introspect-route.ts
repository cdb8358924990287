// POST /introspect (RFC 7662): the state of a token, for confidential clients. A client sees its
// own tokens; with scope `lineage:introspect` everybody's access tokens.

import type { FastifyInstance } from 'fastify'
import type { Client } from '../../clients/client.ts'
import type { Families } from '../../families/families.ts'
import type { Family } from '../../families/family.ts'
import { findInactiveReason } from '../../families/family-rules.ts'
import {
  authenticateRefreshToken,
  hashFamilySecret,
  isSameSecretHash,
  type RefreshToken,
} from '../../families/refresh-token-string.ts'
import { tokenTypeOf } from '../../oauth/confirmation.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import { requireParameter } from '../../oauth/parameters.ts'
import { usableScope } from '../../oauth/role-bound-scope.ts'
import { inOrder } from '../../oauth/scope.ts'
import { type Clock, toSeconds } from '../../runtime/clock.ts'
import type { RootSecrets } from '../../secrets/root-secret.ts'
import type { UserTokenClaims } from '../../tokens/access-token.ts'
import type { TokenChecker } from '../../tokens/check-access-token.ts'
import type { UserRecord } from '../../users/user.ts'
import { authenticateSender, registerFormEndpoint, type SenderCheck } from './oauth-endpoint.ts'

export interface IntrospectRouteDependencies extends SenderCheck {
  readonly checker: TokenChecker
  readonly families: Pick<Families, 'inspect'>
  readonly rootSecrets: RootSecrets
  readonly issuer: string
  readonly clock: Clock
}

const INTROSPECT_SCOPE = 'lineage:introspect'
/** RFC 7662 §2.2: nothing is said of a token that is not active. */
const INACTIVE = { active: false } as const

export function registerIntrospect(
  app: FastifyInstance,
  dependencies: IntrospectRouteDependencies,
): void {
  const { rootSecrets } = dependencies
  registerFormEndpoint(app, '/introspect', async (form, request) => {
    const token = requireParameter(form, 'token')
    const caller = await authenticateSender(request, form, dependencies)
    // RFC 7662 §2.1: the endpoint is no oracle for whoever knows a public client's id.
    if (caller.type === 'public') throw new OAuthError('client_public_not_allowed')
    const refreshToken = authenticateRefreshToken(token, rootSecrets)
    return refreshToken
      ? await introspectRefreshToken(refreshToken, caller, dependencies)
      : await introspectAccessToken(token, caller, dependencies)
  })
}

async function introspectAccessToken(
  token: string,
  caller: Client,
  { checker }: IntrospectRouteDependencies,
) {
  const checked = await checker.check(token)
  if (!checked) return INACTIVE
  const { claims, username } = checked
  const maySee = claims.client_id === caller.id || caller.scopes.includes(INTROSPECT_SCOPE)
  return maySee
    ? {
        active: true,
        username,
        ...claims,
        scope: claims.scope ?? '',
        token_type: tokenTypeOf(claims.cnf),
      }
    : INACTIVE
}

async function introspectRefreshToken(
  token: RefreshToken,
  caller: Client,
  { families, issuer, clock }: IntrospectRouteDependencies,
) {
  const { userId, familyId } = token
  const { family, user } = await families.inspect({ owner: { userId }, familyId })
  if (!family || !user || !isCurrent(token, family) || family.clientId !== caller.id)
    return INACTIVE
  if (findInactiveReason(family, user, clock(), caller.sessionsValidFrom.getTime())) return INACTIVE
  return {
    active: true,
    // RFC 7662 §2.2; undefined where the store's copy of the user is from before it held a name.
    username: user.username,
    ...toRefreshTokenClaims(family, user, caller, issuer),
    token_type: 'refresh_token',
  }
}

/** A stale generation is inactive here, and is not held against the family. */
function isCurrent(token: RefreshToken, family: Family): boolean {
  const isSecretRight = isSameSecretHash(family.secretHash, hashFamilySecret(token.familySecret))
  return isSecretRight && token.generation === family.generation
}

/** What of an access token's claims a refresh token has too; the others are left out of the answer. */
function toRefreshTokenClaims(
  family: Family,
  user: UserRecord,
  client: Client,
  issuer: string,
): { readonly [Claim in keyof UserTokenClaims]-?: UserTokenClaims[Claim] | undefined } {
  const scope = usableScope(family.scope, client.scopes, user.roles)
  return {
    iss: issuer,
    sub: family.userId,
    aud: undefined,
    client_id: family.clientId,
    scope: inOrder(scope, client.scopes).join(' '),
    exp: toSeconds(Math.min(family.idleExpiresAtMs, family.absoluteExpiresAtMs)),
    iat: toSeconds(family.rotatedAtMs),
    jti: undefined,
    cnf: family.confirmation,
    act: undefined,
    may_act: undefined,
    exchanged_from: undefined,
    sid: family.familyId,
    auth_time: undefined,
    amr: undefined,
    roles: undefined,
  }
}
