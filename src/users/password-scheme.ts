// What a scheme of password hashes is to the rest of the service: it reads its own spelling, says what
// a verification costs, and verifies. A scheme is one file of password-schemes/ and one line there.

/**
 * What one verification costs. Two costs of one group can be compared by `work`; costs of two groups
 * cannot, and add up.
 */
export interface PasswordCost {
  /** Such as `argon2 id-1` or `bcrypt`; the first word names the `PasswordWork` that can spend it. */
  readonly group: string
  /** In units of the group. */
  readonly work: number
  /**
   * The parameters, where the same amount of `work` takes another time with others, as it does where
   * memory is part of them; empty where time is a matter of `work` alone.
   */
  readonly settings: string
}

/** A hash that was read: of a known scheme, within bounds, in its one spelling. */
export interface StoredHash {
  readonly cost: PasswordCost
  /** Names the pepper that `matches` wants. */
  readonly pepperId?: number | undefined
  /** Takes what `cost` says, whatever the answer; never on the event loop. */
  matches(password: Buffer, pepper?: Buffer): Promise<boolean>
}

/** A function that hashes passwords, shared by the schemes that differ in spelling alone. */
export interface PasswordWork {
  /** The first word of its groups. */
  readonly family: string
  /** Does as much work as one verification of that cost, and forgets the result. */
  spend(cost: PasswordCost, password: Buffer): Promise<void>
}

export interface PasswordScheme {
  /** How a person recognises it, with its bounds. */
  readonly rule: string
  readonly work: PasswordWork
  /** Undefined for anything else, for what is out of bounds and for any other than its one spelling. */
  parse(text: string): StoredHash | undefined
}

export function isSameCost(one: PasswordCost, other: PasswordCost): boolean {
  return one.group === other.group && one.work === other.work && one.settings === other.settings
}
