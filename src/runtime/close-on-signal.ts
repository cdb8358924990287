// From a signal to the end of the process: one orderly close, bounded in time, and no way around
// it but a second signal. What closing means is the caller's matter.

/** How long requests under way may take after the listener stopped accepting (DESIGN §13). */
export const DRAIN_MS = 10_000
/** For flushing and closing connections after the drain. */
const MARGIN_MS = 5_000
/** A second SIGINT within this time is the same key press. */
const SAME_KEY_PRESS_MS = 500

export type SignalOutcome =
  | 'service.stopping'
  | 'service.stopped'
  | 'service.stop_failed'
  | 'service.stop_timed_out'
  | 'service.stop_forced'
  | 'service.crashed'

export interface CloseOnSignal {
  /** Called once. Its end is the end of the process: code 0, or 1 when it rejects. */
  readonly close: () => Promise<void>
  readonly limitMs: number
  /** Must write synchronously, because the process may exit when it returns. */
  readonly log: (event: SignalOutcome, fields: object) => void
}

/** The time that a whole stop may take, `LINEAGE_SHUTDOWN_DELAY_SECONDS` included. */
export function stopLimitMs(shutdownDelaySeconds: number): number {
  return shutdownDelaySeconds * 1_000 + DRAIN_MS + MARGIN_MS
}

/** Takes over SIGTERM, SIGINT and what nobody caught. Call once in a process. */
export function closeOnSignal({ close, limitMs, log }: CloseOnSignal): void {
  let first: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined

  const exit = (code: 0 | 1, event: SignalOutcome, fields: object = {}): never => {
    log(event, fields)
    process.exit(code)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    const atMs = performance.now()
    if (first) {
      // Ctrl-C goes to every process of the terminal's group, and npm forwards its own to us as
      // well: one press arrives twice within milliseconds.
      const isSamePress =
        signal === 'SIGINT' && first.signal === 'SIGINT' && atMs - first.atMs < SAME_KEY_PRESS_MS
      if (!isSamePress) exit(1, 'service.stop_forced', { signal })
      return
    }
    first = { signal, atMs }
    log('service.stopping', { signal })
    setTimeout(() => exit(1, 'service.stop_timed_out', { limitMs }), limitMs)
    close().then(
      () => exit(0, 'service.stopped'),
      (err: unknown) => exit(1, 'service.stop_failed', { err }),
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // After either of these nothing is known of the state, so nothing is closed in order.
  process.on('uncaughtException', (err) => exit(1, 'service.crashed', { err }))
  process.on('unhandledRejection', (err) => exit(1, 'service.crashed', { err }))
}
