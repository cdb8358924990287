// What may be guessed, and how often: the budgets of failures, per kind of secret. A kind is added by
// its line in GUESS_BUDGETS.

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** So many failures from the first one on, for so long. */
export interface Budget {
  readonly max: number
  readonly windowMs: number
}

/** The three budgets of one kind of guess; docs/login.md has them in words. */
export interface Budgets {
  /**
   * The kind in which a source has to have succeeded at the account to have a budget of its own there;
   * undefined where all sources are strangers.
   */
  readonly knownBy: 'login' | 'one_time_code' | undefined
  /** Of one source for one account. */
  readonly pair: Budget
  /** Of one source for all accounts; a source that is known to the account is not held to it. */
  readonly source: Budget
  /** Of one account for all sources that are not known to it. */
  readonly account: Budget
}

const SECRETS = {
  knownBy: undefined,
  pair: { max: 10, windowMs: 15 * MINUTE_MS },
  source: { max: 100, windowMs: 15 * MINUTE_MS },
  account: { max: 50, windowMs: HOUR_MS },
} as const satisfies Budgets

/** Each kind counts by itself: a wrong client secret takes nothing from the logins of its source. */
export const GUESS_BUDGETS = {
  login: { ...SECRETS, knownBy: 'login' },
  client_secret: SECRETS,
  /** Whoever has stolen a session cannot keep its owner from changing the password. */
  current_password: { ...SECRETS, knownBy: 'login' },
  one_time_code: { ...SECRETS, knownBy: 'one_time_code' },
  reset_token: SECRETS,
  /**
   * Nothing is guessed with these: each request for a mail counts, so that nobody's box is filled. Where
   * somebody has logged in, strangers cannot use up what he may ask for.
   */
  mail: {
    knownBy: 'login',
    pair: { max: 3, windowMs: HOUR_MS },
    source: { max: 20, windowMs: HOUR_MS },
    account: { max: 5, windowMs: HOUR_MS },
  },
} as const satisfies Record<string, Budgets>

export type GuessKind = keyof typeof GUESS_BUDGETS

/** One attempt at somebody's secret. */
export interface Guess {
  readonly kind: GuessKind
  /** Whose secret: any text that tells accounts apart, whether or not there is such an account. */
  readonly account: string
  readonly ip: string
  /** Of the request that brings it. */
  readonly requestId?: string | undefined
}

/** How long a source stays known to an account after its last success there. */
export const KNOWN_MS = 30 * 24 * HOUR_MS
/** A success makes the source known anew when less than this is left, so not at every login. */
export const KNOWN_RENEWED_BELOW_MS = KNOWN_MS - 24 * HOUR_MS
