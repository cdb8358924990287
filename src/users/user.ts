// A user as the rest of the service sees one, and the record that decides whether families live.

export type UserId = string & { readonly brand: 'UserId' }

export type UserStatus = 'active' | 'disabled' | 'deleted'

/** Why an epoch began, and so why every older family of the user ended. */
export type EpochReason = 'password_changed' | 'user_disabled' | 'logged_out_everywhere'

/** The same as FamilyId, which is not imported, because families use users and not vice versa. */
export type KeptFamilyId = string & { readonly brand: 'FamilyId' }

export interface EpochStart {
  readonly epoch: number
  readonly reason: EpochReason
  readonly atMs: number
  /**
   * The one family that lives on in this epoch ("all but this"). It stands in the record itself,
   * so that nobody can see the epoch without seeing which family it keeps.
   */
  readonly keptFamilyId?: KeptFamilyId
}

/**
 * What the family store must know of a user. PostgreSQL owns it; the store keeps a copy that only
 * a higher `version` overwrites (docs/semantics.md §3).
 */
export interface UserRecord {
  readonly userId: UserId
  readonly epoch: number
  readonly status: UserStatus
  readonly roles: readonly string[]
  readonly version: number
  /** The newest 32 epochs, oldest first. */
  readonly epochLog: readonly EpochStart[]
  /** For introspection. Missing for a deleted user, and in copies that an older release wrote. */
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

/** Names are compared by their keys, the rest exactly; undefined asks for nothing. */
export interface UserFilter {
  readonly username?: string | undefined
  readonly email?: string | undefined
  readonly status?: User['status'] | undefined
}
