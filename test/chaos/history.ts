// What happened in a run, from outside: who asked which instance for what, between which two
// moments of the one clock of the driver, and what came back. No token stands in it.

/** How an operation is called, and the statuses with which the service may answer it. */
export const OPERATIONS = {
  login: [200, 400, 503],
  refresh: [200, 400, 503],
  /** An old token, as a thief would present it: beyond what may be repeated. */
  replay: [200, 400, 503],
  verify: [200, 401, 503],
  revoke: [200, 503],
  logOutOthers: [204, 401, 503],
  logOutAll: [204, 401, 503],
  disable: [200, 401, 503],
  enable: [200, 401, 503],
} as const satisfies Record<string, readonly number[]>

export type OperationName = keyof typeof OPERATIONS

export interface Operation {
  readonly name: OperationName
  readonly user: string
  /** Of the token that was presented; unknown for a login and for what an administrator does. */
  readonly session?: string
  readonly generation?: number
  /** The number of the instance that was asked. */
  readonly instance: number
  readonly startMs: number
  readonly endMs: number
  /** 0 when no answer came. */
  readonly status: number
  readonly error?: string
  /** The refresh token that was given, its text as a digest. */
  readonly got?: {
    readonly session: string
    readonly generation: number
    readonly digest: string
  }
}

/** Whether that is a status of the operation. */
export function isExpected({ name, status }: Operation): boolean {
  const statuses: readonly number[] = OPERATIONS[name]
  return statuses.includes(status)
}

/** Whether the service has said what it did. */
export function isAnswered(operation: Operation): boolean {
  return operation.status !== 503 && isExpected(operation)
}

export interface FaultSpan {
  readonly name: string
  readonly beginMs: number
  /** When its end began. */
  readonly endMs: number
  /** How long after its end everybody was served again. */
  readonly servedMs: number
  /** When it was over, and every server was there again. */
  readonly overMs: number
  /** The instances that reach no store of families meanwhile: nothing begun within can act. */
  readonly silent: readonly number[]
  /** What a Redis may not know any more that it had confirmed; undefined where nothing is lost. */
  readonly loss?: Loss
}

/** Redis came to lack what it had confirmed, at a moment within this span. */
export interface Loss {
  readonly fromMs: number
  readonly toMs: number
  /** Logins before this moment are lost, because the journal does not have them any more. */
  readonly loginsBeforeMs?: number
  /** A planned failover, in which the old master may go on answering for a while. */
  readonly isSplit?: boolean
}

export interface History {
  readonly graceMs: number
  /** The users who end nothing and are not robbed: whatever refuses their sessions is to blame. */
  readonly calm: readonly string[]
  readonly operations: readonly Operation[]
  readonly faults: readonly FaultSpan[]
  /** The sessions of all theft alarms. */
  readonly alarms: readonly string[]
  /** Who was not served again after a fault was over, with what he met last. */
  readonly unserved: readonly string[]
}

/** One line for each thing, for a file. */
export function toJsonLines(history: History): string {
  const { operations, faults, ...rest } = history
  const lines = [rest, ...faults, ...operations]
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`
}
