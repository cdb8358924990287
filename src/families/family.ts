// The refresh-token family, and what is asked of it and answered. Behind which port its state lives is in
// family-store.ts.

import type { ClientId } from '../clients/client.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import type { EpochReason, UserId, UserRecord } from '../users/user.ts'

/** A UUID in lower case; the `sid` of access tokens and the id of a session. */
export type FamilyId = string & { readonly brand: 'FamilyId' }

/** Why one family ended by an act upon it. */
export type FamilyEndReason =
  | 'reuse_detected'
  | 'revoked_by_client'
  | 'revoked_by_user'
  | 'revoked_by_admin'
  | 'session_limit'

/** Every reason that a session can show for its end (docs/semantics.md §3). */
export type EndedReason =
  | FamilyEndReason
  | EpochReason
  | 'client_sessions_ended'
  | 'idle_expired'
  | 'absolute_expired'

/**
 * How somebody proved who they are, in the words of RFC 8176 §2: the `amr` of their tokens. `fed` is
 * ours: somebody else vouched for them.
 */
export type AuthMethod = 'pwd' | 'otp' | 'fed'

/** A login by the password alone, which is what every login of a release without factors was. */
export const BY_PASSWORD: readonly AuthMethod[] = ['pwd']
/** A login by the password and a code that is good once, of an authenticator or for recovery. */
export const BY_PASSWORD_AND_CODE: readonly AuthMethod[] = ['pwd', 'otp']
/** A login by an assertion of an issuer that is trusted. */
export const BY_ASSERTION: readonly AuthMethod[] = ['fed']

export interface Family {
  readonly familyId: FamilyId
  readonly userId: UserId
  readonly clientId: ClientId
  /** What the login granted, role-bound scopes included even while the role is missing. */
  readonly scope: readonly string[]
  readonly audience: readonly string[]
  /** What the login was made with; constant over refreshes. */
  readonly amr: readonly AuthMethod[]
  /** What whoever presents its tokens has to hold, as shown at the login; constant over refreshes. */
  readonly confirmation: Confirmation | undefined
  /** SHA-256 of the family secret, base64url. */
  readonly secretHash: string
  readonly generation: number
  readonly epoch: number
  /** Also the `auth_time` of every token of the family. */
  readonly createdAtMs: number
  /** The basis of the grace: when its generation began. */
  readonly rotatedAtMs: number
  /** When a token was last used that moved the idle expiry; never before the rotation. */
  readonly usedAtMs: number
  readonly idleExpiresAtMs: number
  readonly absoluteExpiresAtMs: number
  readonly ended: { readonly reason: FamilyEndReason; readonly atMs: number } | undefined
  readonly ip: string
  readonly userAgent: string
  /** How often a refresh was repeated within the grace from another network or user agent. */
  readonly retriedElsewhere: number
}

/** The most live families of one user at one client; the least recently used one makes room. */
export const LIVE_FAMILIES_MAX = 100

/**
 * How long a store keeps a family past its absolute expiry, so that a list of sessions can still
 * say how it ended. No token depends on it.
 */
export const TOMBSTONE_SLACK_MS = 24 * 60 * 60 * 1000

/** A new family together with the user's record as it was read with the password hash. */
export interface CreateFamily {
  readonly family: Omit<
    Family,
    'generation' | 'ended' | 'rotatedAtMs' | 'usedAtMs' | 'epoch' | 'userId' | 'retriedElsewhere'
  >
  readonly user: UserRecord
  readonly nowMs: number
  /** Families from before this moment are dead, and do not count towards the limit. */
  readonly clientSessionsValidFromMs: number
}

export type CreateOutcome =
  | {
      readonly outcome: 'created'
      readonly family: Family
      readonly user: UserRecord
      /** How many others it ended, because there would have been more than LIVE_FAMILIES_MAX. */
      readonly displaced: number
    }
  /**
   * The user was disabled, deleted, logged out or given a new password since `user` was read; or a login
   * that is made again has been ended.
   */
  | { readonly outcome: 'user_moved' }

/** Which families of a client never rotate; one that is not bound is anybody's who has its token. */
export type NeverRotates = 'none' | 'bound' | 'all'

export interface RotateFamily {
  readonly userId: UserId
  readonly familyId: FamilyId
  readonly secretHash: string
  readonly generation: number
  readonly clientId: ClientId
  /** What the sender has shown to hold. */
  readonly confirmation: Confirmation | undefined
  readonly nowMs: number
  readonly graceMs: number
  readonly idleTtlMs: number
  /** A current token is answered with itself until its rotation is this old. */
  readonly rotateAfterMs: number
  readonly neverRotates: NeverRotates
  readonly clientSessionsValidFromMs: number
  /** The scope that the request names; undefined means the whole grant. */
  readonly requestedScope: readonly string[] | undefined
  /** What the client may have today; a requested scope outside of it is dropped, not refused. */
  readonly clientScopes: readonly string[]
  /** The `resource`s that the request names; undefined means the first of the grant. */
  readonly requestedAudience: readonly string[] | undefined
  /** What the client may address today. */
  readonly clientAudiences: readonly string[]
  readonly ip: string
  readonly userAgent: string
}

export type InactiveReason =
  | 'family_unknown'
  | 'family_secret_wrong'
  | 'family_of_other_client'
  | 'family_key_mismatch'
  | 'family_ended'
  | 'family_absolute_expired'
  | 'family_idle_expired'
  | 'user_inactive'
  | 'user_epoch_passed'
  | 'client_sessions_ended'

export type RotateOutcome =
  /** `behind`: the token's generation was ahead of the store, which lost writes in a failover. */
  | {
      readonly outcome: 'rotated'
      readonly family: Family
      readonly user: UserRecord
      readonly behind: boolean
    }
  /**
   * The same refresh token again, with an access token of `atMs`. `behind` as above: the family has the
   * token's generation now.
   */
  | {
      readonly outcome: 'kept'
      readonly family: Family
      readonly user: UserRecord
      readonly atMs: number
      readonly behind: boolean
    }
  /** `elsewhere`: from another network, or with another user agent, than the rotation itself. */
  | {
      readonly outcome: 'retried'
      readonly family: Family
      readonly user: UserRecord
      readonly elsewhere: boolean
    }
  /** The family HAS ended when this is returned; `family` is its state after that. */
  | { readonly outcome: 'replayed'; readonly family: Family }
  | { readonly outcome: 'refused'; readonly error: 'invalid_scope' | 'invalid_target' }
  | { readonly outcome: 'inactive'; readonly reason: InactiveReason }
  /** The copy of the user's record is missing or behind the family: put it, then run once more. */
  | { readonly outcome: 'user_stale' }

/** Ends one family. Where `clientId` or `secretHash` are given they must match. */
export interface EndFamily {
  readonly userId: UserId
  readonly familyId: FamilyId
  readonly reason: FamilyEndReason
  readonly atMs: number
  readonly clientId?: ClientId
  readonly secretHash?: string
}

export type EndOutcome =
  | 'ended'
  /** It had ended or expired before; the first reason in time stays. */
  | 'already_ended'
  | 'unknown'
  | 'other_client'
  /** A good MAC with a wrong family secret: the root secret leaked. Nothing was changed. */
  | 'secret_wrong'

/** Whose single access token was revoked: tokens of one owner share a Cluster slot. */
export type TokenOwner =
  | { readonly userId: UserId; readonly clientId?: never }
  | { readonly clientId: ClientId; readonly userId?: never }

export interface RevokedToken {
  readonly owner: TokenOwner
  readonly jti: string
  readonly expiresAtMs: number
}

export interface Inspect {
  readonly owner: TokenOwner
  /** The family to read; only with a user as owner. */
  readonly familyId?: FamilyId
  /** The access token to look up, and those it was exchanged from, with any of which it is revoked. */
  readonly jti?: string
  readonly earlierJtis?: readonly string[]
}

export interface Inspection {
  readonly family: Family | undefined
  readonly user: UserRecord | undefined
  readonly tokenRevoked: boolean
}
