// Whether an access token of ours is good right now: signed, unexpired, and neither it nor its
// family, user or client was taken back since (docs/semantics.md §1). One store round trip.

import type { Client, ClientId } from '../clients/client.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { Families } from '../families/families.ts'
import type { TokenOwner } from '../families/family.ts'
import { findInactiveReason } from '../families/family-rules.ts'
import { actorsOf } from '../oauth/actor.ts'
import { usableScope } from '../oauth/role-bound-scope.ts'
import { type Clock, toSeconds } from '../runtime/clock.ts'
import type { UserId, UserRecord } from '../users/user.ts'
import {
  type AccessTokenClaims,
  type ClientTokenClaims,
  type ExternalTokenClaims,
  originOf,
  type UserTokenClaims,
} from './access-token.ts'
import { isExternalSubject, issuerOfSubject } from './external-subject.ts'
import type { TokenMint } from './token-mint.ts'

export interface CheckedToken {
  /** With the roles of this moment, and without the scopes that user or client lost since. */
  readonly claims: AccessTokenClaims
  readonly client: Client
  /** Of the user whose token it is, as far as the store knows it. */
  readonly username?: string
}

type OwnClaims = ClientTokenClaims | ExternalTokenClaims

export interface TokenChecker {
  /** Undefined for any token that is not good; rejects with DependencyUnavailable. */
  check(token: string): Promise<CheckedToken | undefined>
}

export interface TokenCheckerDependencies {
  readonly tokens: Pick<TokenMint, 'verify'>
  readonly clients: Pick<ClientTable, 'find'>
  readonly families: Pick<Families, 'inspect'>
  /** Whether the subjects of this trusted issuer are still taken. */
  readonly isKnownIssuer: (trustedIssuer: string) => boolean
  readonly clock: Clock
}

/** Under whom a single revoked token is remembered: its user, or the client that it was issued to. */
export function tokenOwnerOf(claims: AccessTokenClaims): TokenOwner {
  return claims.sid === undefined
    ? { clientId: originOf(claims) as ClientId }
    : { userId: claims.sub as UserId }
}

export function openTokenChecker(dependencies: TokenCheckerDependencies): TokenChecker {
  const { tokens, clients, families, isKnownIssuer, clock } = dependencies

  async function findUser(
    claims: UserTokenClaims,
    origin: Client,
  ): Promise<UserRecord | undefined> {
    const { family, user, tokenRevoked } = await families.inspect({
      owner: tokenOwnerOf(claims),
      familyId: claims.sid,
      ...tokensOf(claims),
    })
    if (tokenRevoked || !family || !user || family.clientId !== origin.id) return undefined
    const validFromMs = origin.sessionsValidFrom.getTime()
    return findInactiveReason(family, user, clock(), validFromMs) ? undefined : user
  }

  /** Of a token that belongs to no family. */
  async function isOwnTokenLive(claims: OwnClaims, origin: Client): Promise<boolean> {
    // What is trusted no more ends online at once, by a look into memory.
    const { sub } = claims
    if (isExternalSubject(sub) && !isKnownIssuer(issuerOfSubject(sub))) return false
    // Of an exchanged token, the token that it comes from was asked about before.
    if (!claims.exchanged_from && !isIssuedSince(claims, origin)) return false
    const owner = tokenOwnerOf(claims)
    return !(await families.inspect({ owner, ...tokensOf(claims) })).tokenRevoked
  }

  return {
    async check(token) {
      const claims = tokens.verify(token)
      const client = claims && (await clients.find(claims.client_id))
      if (!claims || !client) return undefined
      const origin = claims.exchanged_from
        ? await findExchangeOrigin(claims, client, clients)
        : client
      if (!origin) return undefined
      if (claims.sid === undefined) {
        if (!(await isOwnTokenLive(claims, origin))) return undefined
        // No external subject has a role of ours.
        const roles = isExternalSubject(claims.sub) ? [] : undefined
        return { claims: { ...claims, ...scopeLeft(claims, client, origin, roles) }, client }
      }
      const user = await findUser(claims, origin)
      if (!user) return undefined
      const { roles, username } = user
      const named = username === undefined ? {} : { username }
      const left = scopeLeft(claims, client, origin, roles)
      return { claims: { ...claims, ...left, roles }, client, ...named }
    },
  }
}

/** To the second, in the token's favour, because `iat` has no fractions. */
function isIssuedSince({ iat }: { readonly iat: number }, { sessionsValidFrom }: Client): boolean {
  return iat >= toSeconds(sessionsValidFrom.getTime())
}

/** The token itself, and those that it was exchanged from. */
function tokensOf({ jti, exchanged_from: trail }: AccessTokenClaims) {
  return trail ? { jti, earlierJtis: trail.map((earlier) => earlier.jti) } : { jti }
}

/**
 * The client of the subject's own token. Undefined unless every client on the way, and every actor, is
 * there and has had no end of its sessions since its token.
 */
async function findExchangeOrigin(
  claims: AccessTokenClaims,
  client: Client,
  clients: Pick<ClientTable, 'find'>,
): Promise<Client | undefined> {
  if (!isIssuedSince(claims, client)) return undefined
  // Actors were good when this token was made; their own tokens are not kept.
  const acting = actorsOf(claims.act).map((id) => ({ client_id: id, iat: claims.iat }))
  const involved = [...(claims.exchanged_from ?? []), ...acting]
  const found = await Promise.all(involved.map(({ client_id: id }) => clients.find(id)))
  const isEachLive = involved.every((token, index) => {
    const one = found[index]
    return one && isIssuedSince(token, one)
  })
  return isEachLive ? found[0] : undefined
}

/**
 * The token's scope without what user or client have lost since it was issued; an exchanged one is also
 * without what its client may no longer exchange for this audience.
 */
function scopeLeft(
  { scope, aud, exchanged_from: trail }: AccessTokenClaims,
  client: Client,
  origin: Client,
  roles?: readonly string[],
): { readonly scope?: string } {
  if (scope === undefined) return {}
  const left = usableScope(scope.split(' '), origin.scopes, roles)
  const kept = trail ? left.filter((word) => mayExchange(client, word, aud)) : left
  return { scope: kept.join(' ') }
}

function mayExchange({ exchange }: Client, scope: string, aud: AccessTokenClaims['aud']): boolean {
  return exchange.some(({ audience, scopes }) => audience === aud && scopes.includes(scope))
}
