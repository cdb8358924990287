// The one line that every request leaves in the log, written without pino: its values are ours or of
// a checked form, and building it in the general way cost as much as a signature
// (docs/performance.md).

import { type Logger, pino } from 'pino'
import type { LogEvent } from './log-events.ts'
import { censorText } from './logger.ts'

export interface RequestLine {
  /** Of letters, digits and `_.:-`; it may come from the caller. */
  readonly id: string
  /** Hexadecimal digits and hyphens. */
  readonly traceparent: string | undefined
  readonly method: string
  /** The pattern, never the URL: URLs hold what people put there. */
  readonly route: string | undefined
  readonly status: number
  readonly durationMs: number
}

const EVENT: LogEvent = 'request.completed'

/** For a logger that `createLogger` has opened; writes nothing where its level hides the line. */
export function openRequestLines(logger: Logger): (line: RequestLine) => void {
  const output = (logger as unknown as Record<symbol, { write(text: string): void }>)[
    pino.symbols.streamSym
  ]
  // What every line of this logger holds, such as the number of a worker.
  const base = Object.entries(logger.bindings())
    .map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
    .join('')
  return ({ id, traceparent, method, route, status, durationMs }) => {
    if (!logger.isLevelEnabled('info')) return
    const trace = traceparent === undefined ? '' : `"traceparent":"${traceparent}",`
    const where = route === undefined ? '' : `"route":${JSON.stringify(route)},`
    output?.write(
      `{"level":"info","time":"${new Date().toISOString()}",${base}"reqId":"${censorText(id)}",${trace}` +
        `"event":"${EVENT}","method":"${method}",${where}"status":${status},` +
        `"durationMs":${Math.round(durationMs)}}\n`,
    )
  }
}
