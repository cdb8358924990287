// The access token: what it says (RFC 9068 §2.2), and how that is built. How it is read back is in
// read-claims.ts; how it becomes a string, and a string a token, in token-mint.ts.

import { randomUUID } from 'node:crypto'
import type { Client, ClientId } from '../clients/client.ts'
import type { Family, FamilyId } from '../families/family.ts'
import type { Actor, PermittedActor } from '../oauth/actor.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import type { ExchangeTrail } from '../oauth/exchange-trail.ts'
import { toSeconds } from '../runtime/clock.ts'
import type { Stated } from '../runtime/stated.ts'
import { hmacSha256 } from '../secrets/hmac.ts'
import type { RootSecret } from '../secrets/root-secret.ts'
import type { UserId, UserRecord } from '../users/user.ts'
import { type ExternalSubject, isExternalSubject } from './external-subject.ts'

const JTI_BYTES = 16

/** No claim is optional: one that a token has not is `undefined`, and left out when it is signed. */
export interface CommonClaims {
  readonly iss: string
  /** A string when there is one audience only. */
  readonly aud: string | readonly string[]
  /** Epoch seconds, as `iat` and `auth_time`. */
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: ClientId
  /** Undefined where no scope was granted. */
  readonly scope: string | undefined
  /** What the token is bound to; undefined for a bearer token. */
  readonly cnf: Confirmation | undefined
  /** Who acts for the subject; undefined where nobody does. */
  readonly act: Actor | undefined
  /** Who alone may exchange it; undefined where that is left to the policies of clients. */
  readonly may_act: PermittedActor | undefined
  /** What it was exchanged from; undefined for a token that comes from no exchange. */
  readonly exchanged_from: ExchangeTrail | undefined
}

export interface UserTokenClaims extends CommonClaims {
  readonly sub: UserId
  readonly sid: FamilyId
  readonly auth_time: number
  /** How the user logged in (RFC 8176). */
  readonly amr: readonly string[]
  readonly roles: readonly string[]
}

export interface ClientTokenClaims extends CommonClaims {
  readonly sub: ClientId
  readonly sid: undefined
  readonly auth_time: undefined
  readonly amr: undefined
  readonly roles: undefined
}

export interface ExternalTokenClaims extends Omit<ClientTokenClaims, 'sub'> {
  readonly sub: ExternalSubject
}

/** `sid` tells a user's token from all others, and a colon in `sub` those of external subjects. */
export type AccessTokenClaims = UserTokenClaims | ClientTokenClaims | ExternalTokenClaims

export type SubjectType = 'user' | 'client' | 'external'

/** Of whom a token speaks. */
export function subjectTypeOf({ sid, sub }: Pick<AccessTokenClaims, 'sid' | 'sub'>): SubjectType {
  if (sid !== undefined) return 'user'
  return isExternalSubject(sub) ? 'external' : 'client'
}

/** What this token is for; each may be narrower than the grant. */
export interface TokenTarget {
  readonly issuer: string
  readonly scope: readonly string[]
  /** One audience at least, in the order of the client's `audiences`. */
  readonly audience: readonly string[]
  /** What whoever asked for it has shown to hold. */
  readonly confirmation: Confirmation | undefined
}

export interface UserTokenInput extends TokenTarget {
  /** As the rotation left it, or the retry found it. */
  readonly family: Family
  /** Where it is not of the rotation: a token that is younger than the family's generation. */
  readonly issuedAtMs?: number
  readonly user: UserRecord
  readonly client: Pick<Client, 'accessTokenTtlSeconds'>
  /** At a refresh the one that the presented token names, so that a rollover changes no retry. */
  readonly rootSecret: Pick<RootSecret, 'tokenIdKey'>
}

/** The claims of a user's token: the same input gives the same claims, so a retry changes nothing. */
export function buildUserClaims(input: UserTokenInput): Stated<UserTokenClaims> {
  const { family, user } = input
  const iat = toSeconds(input.issuedAtMs ?? family.rotatedAtMs)
  const exp = Math.min(
    iat + input.client.accessTokenTtlSeconds,
    toSeconds(family.absoluteExpiresAtMs),
  )
  return {
    iss: input.issuer,
    sub: family.userId,
    aud: audienceOf(input),
    scope: scopeOf(input),
    cnf: input.confirmation,
    act: undefined,
    may_act: undefined,
    exchanged_from: undefined,
    exp,
    iat,
    jti: deriveTokenId(input, iat, exp),
    client_id: family.clientId,
    sid: family.familyId,
    auth_time: toSeconds(family.createdAtMs),
    amr: family.amr,
    roles: user.roles,
  }
}

/** An id that no other token has. Node draws these from a pool, where 16 bytes cost a system call. */
export function newTokenId(): string {
  return randomUUID()
}

export interface ClientTokenInput extends TokenTarget {
  readonly client: Pick<Client, 'id' | 'accessTokenTtlSeconds'>
  readonly nowMs: number
}

/** The claims of a client's own token (RFC 6749 §4.4), different each time. */
export function buildClientClaims(input: ClientTokenInput): Stated<ClientTokenClaims> {
  return ownClaims(input, input.client.id)
}

/** The claims of a token about an external subject, different each time. */
export function buildExternalClaims(
  input: ClientTokenInput & { readonly subject: ExternalSubject },
): Stated<ExternalTokenClaims> {
  return ownClaims(input, input.subject)
}

/** The claims of a token that belongs to no family. */
function ownClaims<Subject>(
  input: ClientTokenInput,
  sub: Subject,
): Omit<Stated<ClientTokenClaims>, 'sub'> & { sub: Subject } {
  const { client } = input
  const iat = toSeconds(input.nowMs)
  return {
    iss: input.issuer,
    sub,
    aud: audienceOf(input),
    scope: scopeOf(input),
    cnf: input.confirmation,
    act: undefined,
    may_act: undefined,
    exchanged_from: undefined,
    exp: iat + client.accessTokenTtlSeconds,
    iat,
    jti: newTokenId(),
    client_id: client.id,
    sid: undefined,
    auth_time: undefined,
    amr: undefined,
    roles: undefined,
  }
}

function audienceOf({ audience }: TokenTarget): CommonClaims['aud'] {
  const [first] = audience
  if (first === undefined) throw new RangeError('an access token needs an audience')
  return audience.length === 1 ? first : audience
}

function scopeOf({ scope }: TokenTarget): string | undefined {
  return scope.length > 0 ? scope.join(' ') : undefined
}

// One id for one set of claims (RFC 7519 §4.1.7). `exp` is in it because the client's token life
// may change between a rotation and its retry, and a revocation is kept until the `exp` it names. `iat`
// is in it where it does not follow from the generation: at the end of a family many have one `exp`.
function deriveTokenId(
  { family, user, scope, audience, confirmation, rootSecret }: UserTokenInput,
  iat: number,
  exp: number,
): string {
  const { familyId, generation, rotatedAtMs } = family
  const more = [
    ...(iat === toSeconds(rotatedAtMs) ? [] : [iat]),
    ...(confirmation ? [confirmation] : []),
  ]
  const facts = JSON.stringify([familyId, generation, scope, audience, user.version, exp, ...more])
  return hmacSha256(rootSecret.tokenIdKey, Buffer.from(facts))
    .subarray(0, JTI_BYTES)
    .toString('base64url')
}

/** The client to which the subject first had a token issued, before any exchange. */
export function originOf({
  client_id: clientId,
  exchanged_from: trail,
}: Pick<CommonClaims, 'client_id' | 'exchanged_from'>): string {
  return trail?.[0].client_id ?? clientId
}
