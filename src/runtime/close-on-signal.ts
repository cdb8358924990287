// From a signal to the end of the process: one orderly close, bounded in time; a second signal ends
// the process at once. What is closed, and in which order, the caller says.

/**
 * How long requests under way may take after the listener stopped accepting (docs/semantics.md
 * §13).
 */
export const DRAIN_MS = 10_000
/** Time after the drain for writing events and closing connections. */
const MARGIN_MS = 5_000
/** A second SIGINT or SIGHUP within this time comes from the same key press or closed terminal. */
const SAME_EVENT_MS = 500
/** How long the reader of the log may take with its last lines. */
const LAST_LINES_MS = 1_000

/** What asks the service to stop. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

export type SignalOutcome =
  | 'service.stopping'
  | 'service.stopped'
  | 'service.stop_failed'
  | 'service.stop_timed_out'
  | 'service.stop_forced'
  | 'service.crashed'

export interface CloseOnSignal {
  /** Called once. The process exits when it settles: with code 0, or with 1 when it rejects. */
  readonly close: () => Promise<void>
  readonly limitMs: number
  /** The process may exit right after it: lines must then be written by an `exit` handler. */
  readonly log: (event: SignalOutcome, fields: object) => void
  /** Resolves when the lines are written, or when their reader has had `timeoutMs`. */
  readonly drainLog: (timeoutMs: number) => Promise<void>
}

/** The time that a whole stop may take, `LINEAGE_SHUTDOWN_DELAY_SECONDS` included. */
export function stopLimitMs(shutdownDelaySeconds: number): number {
  return shutdownDelaySeconds * 1_000 + DRAIN_MS + MARGIN_MS
}

/** Takes over SIGTERM, SIGINT, SIGHUP and what nobody caught. Call once in a process. */
export function closeOnSignal({ close, limitMs, log, drainLog }: CloseOnSignal): void {
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined

  const exit = (code: 0 | 1, event: SignalOutcome, fields: object = {}): never => {
    log(event, fields)
    process.exit(code)
  }
  const exitAfterLogging = (code: 0 | 1, event: SignalOutcome, fields: object = {}): void => {
    log(event, fields)
    void drainLog(LAST_LINES_MS).then(() => process.exit(code))
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    const atMs = performance.now()
    if (first) {
      // Ctrl-C goes to every process of the terminal's group, and npm forwards its own to us as
      // well: one press arrives twice within milliseconds. So does a terminal that is closed.
      const isSameEvent =
        signal !== 'SIGTERM' && signal === first.signal && atMs - first.atMs < SAME_EVENT_MS
      if (!isSameEvent) exit(1, 'service.stop_forced', { signal })
      return
    }
    first = { signal, atMs }
    log('service.stopping', { signal })
    setTimeout(() => exit(1, 'service.stop_timed_out', { limitMs }), limitMs)
    close().then(
      () => exitAfterLogging(0, 'service.stopped'),
      (err: unknown) => exitAfterLogging(1, 'service.stop_failed', { err }),
    )
  }
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal)
  exitOnCrash(log)
}

/**
 * Ends the process with code 1 at what nobody caught. The state of the process is unknown then, so
 * nothing is closed in order.
 */
export function exitOnCrash(log: CloseOnSignal['log']): void {
  const onCrash = (err: unknown) => {
    log('service.crashed', { err })
    process.exit(1)
  }
  process.on('uncaughtException', onCrash)
  process.on('unhandledRejection', onCrash)
}
