// Whether an access token of ours is good right now: signed, unexpired, and neither it nor its
// family, user or client was taken back since (DESIGN §3). One store round trip.

import type { Client, ClientId } from '../clients/client.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { Families } from '../families/families.ts'
import type { FamilyId, TokenOwner } from '../families/family.ts'
import { findInactiveReason } from '../families/family-rules.ts'
import { type Clock, toSeconds } from '../runtime/clock.ts'
import type { UserId } from '../users/user.ts'
import type { AccessTokenClaims } from './access-token.ts'

export interface CheckedToken {
  readonly claims: AccessTokenClaims
  readonly client: Client
}

export interface TokenChecker {
  /** Undefined for any token that is not good; rejects with DependencyUnavailable. */
  check(token: string): Promise<CheckedToken | undefined>
}

export interface TokenCheckerDependencies {
  readonly verify: (token: string) => AccessTokenClaims | undefined
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
  const { verify, clients, families, clock } = dependencies

  async function isUserTokenLive(claims: AccessTokenClaims, client: Client): Promise<boolean> {
    const { family, user, tokenRevoked } = await families.inspect({
      owner: tokenOwnerOf(claims),
      familyId: claims.sid as FamilyId,
      jti: claims.jti,
    })
    if (tokenRevoked || !family || !user || family.clientId !== client.id) return false
    const validFromMs = client.sessionsValidFrom.getTime()
    return findInactiveReason(family, user, clock(), validFromMs) === undefined
  }

  async function isClientTokenLive(claims: AccessTokenClaims, client: Client): Promise<boolean> {
    // To the second, in the token's favour, because `iat` has no fractions.
    if (claims.iat < toSeconds(client.sessionsValidFrom.getTime())) return false
    const owner = tokenOwnerOf(claims)
    return !(await families.inspect({ owner, jti: claims.jti })).tokenRevoked
  }

  return {
    async check(token) {
      const claims = verify(token)
      const client = claims && (await clients.find(claims.client_id))
      if (!claims || !client) return undefined
      const isLive = claims.sid === undefined ? isClientTokenLive : isUserTokenLive
      return (await isLive(claims, client)) ? { claims, client } : undefined
    },
  }
}
