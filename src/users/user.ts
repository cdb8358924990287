// A user as the rest of the service sees one, and the record that decides whether families live.

export type UserId = string & { readonly brand: 'UserId' }

export type UserStatus = 'active' | 'disabled' | 'deleted'

/** Why an epoch began, and so why every older family of the user ended. */
export type EpochReason = 'password_changed' | 'user_disabled' | 'logged_out_everywhere'

/** A FamilyId, which lies in a layer that users do not look into. */
export type KeptFamilyId = string & { readonly brand: 'FamilyId' }

export interface EpochStart {
  readonly epoch: number
  readonly reason: EpochReason
  readonly atMs: number
  /**
   * The one family that lives on in this epoch ("all but this"). It stands in the record, so that
   * whoever sees the epoch sees at once whom it spares, in whatever order records arrive.
   */
  readonly keptFamilyId?: KeptFamilyId
}

/**
 * What the family store must know of a user. PostgreSQL owns it; the store keeps a copy that only
 * a higher `version` overwrites (DESIGN §5).
 */
export interface UserRecord {
  readonly userId: UserId
  readonly epoch: number
  readonly status: UserStatus
  readonly roles: readonly string[]
  readonly version: number
  /** The newest 32 epochs, oldest first. */
  readonly epochLog: readonly EpochStart[]
  /** For introspection. Not there for a deleted user, nor in copies from before it was kept. */
  readonly username?: string
}

export interface User {
  readonly id: UserId
  readonly username: string
  readonly email: string
  readonly emailVerified: boolean
  readonly status: 'active' | 'disabled'
  readonly roles: readonly string[]
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly passwordChangedAt: Date
}
