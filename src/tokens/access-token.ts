// The access token: what it says (RFC 9068 §2.2). How it becomes a string, and a string a token, is
// in token-mint.ts.

import { createHmac, randomUUID } from 'node:crypto'
import type { Client, ClientId } from '../clients/client.ts'
import type { Family, FamilyId } from '../families/family.ts'
import { toSeconds } from '../runtime/clock.ts'
import type { RootSecret } from '../secrets/root-secret.ts'
import type { UserId, UserRecord } from '../users/user.ts'

const JTI_BYTES = 16

interface CommonClaims {
  readonly iss: string
  /** A string when there is one audience only. */
  readonly aud: string | readonly string[]
  /** Epoch seconds, as `iat` and `auth_time`. */
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: ClientId
  /** Absent where no scope was granted. */
  readonly scope?: string
}

export interface UserTokenClaims extends CommonClaims {
  readonly sub: UserId
  readonly sid: FamilyId
  readonly auth_time: number
  readonly roles: readonly string[]
}

export interface ClientTokenClaims extends CommonClaims {
  readonly sub: ClientId
  readonly sid?: never
  readonly auth_time?: never
  readonly roles?: never
}

/** `sid` tells a user's token from a client's own. */
export type AccessTokenClaims = UserTokenClaims | ClientTokenClaims

/** What this token is for; each may be narrower than the grant. */
export interface TokenTarget {
  readonly issuer: string
  readonly scope: readonly string[]
  /** One audience at least, in the order of the client's `audiences`. */
  readonly audience: readonly string[]
}

export interface UserTokenInput extends TokenTarget {
  /** As the rotation left it, or the retry found it. */
  readonly family: Family
  readonly user: UserRecord
  readonly client: Pick<Client, 'accessTokenTtlSeconds'>
  /** At a refresh the one that the presented token names, so that a rollover changes no retry. */
  readonly rootSecret: Pick<RootSecret, 'tokenIdKey'>
}

/** The claims of a user's token: the same input gives the same claims, so a retry changes nothing. */
export function buildUserClaims(input: UserTokenInput): UserTokenClaims {
  const { family, user } = input
  const iat = toSeconds(family.rotatedAtMs)
  const exp = Math.min(
    iat + input.client.accessTokenTtlSeconds,
    toSeconds(family.absoluteExpiresAtMs),
  )
  return {
    iss: input.issuer,
    sub: family.userId,
    ...targetClaims(input),
    exp,
    iat,
    jti: deriveTokenId(input, exp),
    client_id: family.clientId,
    sid: family.familyId,
    auth_time: toSeconds(family.createdAtMs),
    roles: user.roles,
  }
}

export interface ClientTokenInput extends TokenTarget {
  readonly client: Pick<Client, 'id' | 'accessTokenTtlSeconds'>
  readonly nowMs: number
}

/** The claims of a client's own token (RFC 6749 §4.4), different each time. */
export function buildClientClaims(input: ClientTokenInput): ClientTokenClaims {
  const { client } = input
  const iat = toSeconds(input.nowMs)
  return {
    iss: input.issuer,
    sub: client.id,
    ...targetClaims(input),
    exp: iat + client.accessTokenTtlSeconds,
    iat,
    // Node draws these from a pool, where 16 random bytes of their own cost a system call.
    jti: randomUUID(),
    client_id: client.id,
  }
}

function targetClaims({ scope, audience }: TokenTarget): Pick<CommonClaims, 'aud' | 'scope'> {
  const [first] = audience
  if (first === undefined) throw new RangeError('an access token needs an audience')
  return {
    aud: audience.length === 1 ? first : audience,
    ...(scope.length > 0 ? { scope: scope.join(' ') } : {}),
  }
}

// One id for one set of claims (RFC 7519 §4.1.7). `exp` is in it because the client's token life
// may change between a rotation and its retry, and a revocation is kept until the `exp` it names.
function deriveTokenId(
  { family, user, scope, audience, rootSecret }: UserTokenInput,
  exp: number,
): string {
  const { familyId, generation } = family
  return createHmac('sha256', rootSecret.tokenIdKey)
    .update(JSON.stringify([familyId, generation, scope, audience, user.version, exp]))
    .digest()
    .subarray(0, JTI_BYTES)
    .toString('base64url')
}
