// The document of `lineage top --json`, of which the screen is a view.

/** Since the start of the service, and a second between the looks; null without a look before. */
export interface Count {
  readonly total: number
  readonly perSecond: number | null
}

export interface Outcome extends Count {
  readonly name: string
}

/** Null where nothing happened between the looks. */
export interface Times {
  readonly p50Seconds: number | null
  readonly p99Seconds: number | null
}

export interface Route extends Count, Times {
  readonly route: string
  readonly method: string
  readonly statusClasses: readonly Outcome[]
}

export interface DependencyState extends Count, Times {
  readonly name: string
  /** Null where the service does not say. */
  readonly isUp: boolean | null
}

export interface SigningKeyAge {
  readonly kid: string
  readonly state: string
  readonly ageSeconds: number
}

export interface TopFigures {
  readonly version: string
  readonly families: string
  /** Between the two looks; null where there was one. */
  readonly seconds: number | null
  readonly requests: Count & Times & { readonly statusClasses: readonly Outcome[] }
  /** The busiest first. */
  readonly routes: readonly Route[]
  readonly tokens: readonly (Outcome & { readonly grant: string })[]
  readonly logins: readonly Outcome[]
  readonly refreshes: readonly Outcome[]
  /**
   * Of the refreshes with a token of a living session, the share that ended it because the token had
   * been used before: by a thief, or a false alarm. Null where there was none.
   */
  readonly falseLogoutRate: number | null
  readonly familyEnds: readonly Outcome[]
  readonly throttled: readonly Outcome[]
  readonly hashing: { active: number; waiting: number; waitP99Seconds: number | null }
  readonly pool: { busy: number; idle: number; waiting: number; waitP99Seconds: number | null }
  readonly dependencies: readonly DependencyState[]
  readonly events: { readonly waiting: number; readonly dropped: Count }
  readonly webhooks: readonly Outcome[]
  readonly journalReplayed: Count
  readonly keys: readonly SigningKeyAge[]
  readonly process: ProcessState
}

export interface ProcessState {
  /** Of one core; null without a look before. */
  readonly cpuShare: number | null
  readonly memoryBytes: number | null
  /** Of the event loop, the 99th of a hundred; of several processes their mean. */
  readonly lagP99Seconds: number | null
  readonly upSeconds: number | null
}
