// Whether an access token of ours is good right now: signed, unexpired, and neither it nor its
// family, user or client was taken back since (docs/semantics.md §1). One store round trip.

import type { Client, ClientId } from '../clients/client.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { Families } from '../families/families.ts'
import type { TokenOwner } from '../families/family.ts'
import { findInactiveReason } from '../families/family-rules.ts'
import { usableScope } from '../oauth/role-bound-scope.ts'
import { type Clock, toSeconds } from '../runtime/clock.ts'
import type { UserId, UserRecord } from '../users/user.ts'
import type { AccessTokenClaims, ClientTokenClaims, UserTokenClaims } from './access-token.ts'
import type { TokenMint } from './token-mint.ts'

export interface CheckedToken {
  /** With the roles of this moment, and without the scopes that user or client lost since. */
  readonly claims: AccessTokenClaims
  readonly client: Client
  /** Of the user whose token it is, as far as the store knows it. */
  readonly username?: string
}

export interface TokenChecker {
  /** Undefined for any token that is not good; rejects with DependencyUnavailable. */
  check(token: string): Promise<CheckedToken | undefined>
}

export interface TokenCheckerDependencies {
  readonly tokens: Pick<TokenMint, 'verify'>
  readonly clients: Pick<ClientTable, 'find'>
  readonly families: Pick<Families, 'inspect'>
  readonly clock: Clock
}

/** Under whom a single revoked token is remembered: its user, or the client itself. */
export function tokenOwnerOf(claims: AccessTokenClaims): TokenOwner {
  return claims.sid === undefined
    ? { clientId: claims.sub as ClientId }
    : { userId: claims.sub as UserId }
}

export function openTokenChecker(dependencies: TokenCheckerDependencies): TokenChecker {
  const { tokens, clients, families, clock } = dependencies

  async function findUser(
    claims: UserTokenClaims,
    client: Client,
  ): Promise<UserRecord | undefined> {
    const { family, user, tokenRevoked } = await families.inspect({
      owner: tokenOwnerOf(claims),
      familyId: claims.sid,
      jti: claims.jti,
    })
    if (tokenRevoked || !family || !user || family.clientId !== client.id) return undefined
    const validFromMs = client.sessionsValidFrom.getTime()
    return findInactiveReason(family, user, clock(), validFromMs) ? undefined : user
  }

  async function isClientTokenLive(claims: ClientTokenClaims, client: Client): Promise<boolean> {
    // To the second, in the token's favour, because `iat` has no fractions.
    if (claims.iat < toSeconds(client.sessionsValidFrom.getTime())) return false
    const owner = tokenOwnerOf(claims)
    return !(await families.inspect({ owner, jti: claims.jti })).tokenRevoked
  }

  return {
    async check(token) {
      const claims = tokens.verify(token)
      const client = claims && (await clients.find(claims.client_id))
      if (!claims || !client) return undefined
      if (claims.sid === undefined) {
        const isLive = await isClientTokenLive(claims, client)
        return isLive ? { claims: { ...claims, ...scopeLeft(claims, client) }, client } : undefined
      }
      const user = await findUser(claims, client)
      if (!user) return undefined
      const { roles, username } = user
      const named = username === undefined ? {} : { username }
      return { claims: { ...claims, ...scopeLeft(claims, client, roles), roles }, client, ...named }
    },
  }
}

/** The token's scope without what user or client have lost since it was issued. */
function scopeLeft(
  { scope }: AccessTokenClaims,
  client: Client,
  roles?: readonly string[],
): { readonly scope?: string } {
  if (scope === undefined) return {}
  return { scope: usableScope(scope.split(' '), client.scopes, roles).join(' ') }
}
