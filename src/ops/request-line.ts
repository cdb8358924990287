// What is known of a request when it was answered, and the one line of it in the log, written without pino: its values are ours or of
// a checked form, and building it in the general way cost as much as a signature
// (docs/performance.md).

import { type Logger, pino } from 'pino'
import type { LogEvent } from './log-events.ts'
import { isEventWritten } from './log-levels.ts'
import { censorText } from './logger.ts'

export interface RequestLine {
  /** Of letters, digits and `_.:-`. */
  readonly id: string
  /** By the caller, who may have sent anything of these characters, a secret too. */
  readonly isIdGiven: boolean
  /** Hexadecimal digits and hyphens. */
  readonly traceparent: string | undefined
  readonly method: string
  /** The pattern, never the URL: URLs hold what people put there. */
  readonly route: string | undefined
  readonly status: number
  readonly durationMs: number
  /** Of a client that exists. */
  readonly clientId: string | undefined
  /** The name of a grant that there is. */
  readonly grant: string | undefined
  /** The error code and its reason; undefined where no error was sent. */
  readonly refusal: Refusal | undefined
}

/** Told once of each request that was answered, after the last byte. */
export type RequestEnded = (line: RequestLine) => void

/** Why a request was refused: the code that the caller was told, and what it stands for here. */
export interface Refusal {
  readonly code: string
  readonly reason: string
}

/** `ok`, or the error code; `refused` where an endpoint answers without one. */
export function outcomeOf({ refusal, status }: Pick<RequestLine, 'refusal' | 'status'>): string {
  if (refusal) return refusal.code
  return status < 400 ? 'ok' : 'refused'
}

const EVENT: LogEvent = 'request.completed'

/** For a logger that `createLogger` has opened; writes nothing where its levels hide the line. */
export function openRequestLines(logger: Logger): RequestEnded {
  const output = (logger as unknown as Record<symbol, { write(text: string): void }>)[
    pino.symbols.streamSym
  ]
  // What every line of this logger holds, such as the number of a worker.
  const base = Object.entries(logger.bindings())
    .map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
    .join('')
  const isWritten = isEventWritten(logger, EVENT)
  return (line) => {
    if (!isWritten) return
    const { traceparent, route, clientId, grant } = line
    const id = line.isIdGiven ? censorText(line.id) : line.id
    const trace =
      traceparent === undefined
        ? ''
        : `"traceId":"${traceIdOf(traceparent)}","traceparent":"${traceparent}",`
    const where = route === undefined ? '' : `"route":${JSON.stringify(route)},`
    const who = clientId === undefined ? '' : `"clientId":${JSON.stringify(clientId)},`
    const how = grant === undefined ? '' : `"grant":"${grant}",`
    output?.write(
      `{"level":"info","time":"${isoTime(Date.now())}",${base}"reqId":"${id}",${trace}` +
        `"event":"${EVENT}","method":"${line.method}",${where}${who}${how}` +
        `"outcome":"${outcomeOf(line)}","status":${line.status},"durationMs":${Math.round(line.durationMs)}}\n`,
    )
  }
}

/** Trace Context §3.2.2.3: the id of the whole trace, which every service of it logs. */
function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35)
}

let second = { startMs: 0, text: '' }

/** As `toISOString` writes it, whose work is done once a second. */
function isoTime(nowMs: number): string {
  const ms = nowMs % 1000
  const startMs = nowMs - ms
  if (second.startMs !== startMs) {
    second = { startMs, text: new Date(startMs).toISOString().slice(0, -'000Z'.length) }
  }
  return `${second.text}${String(ms).padStart(3, '0')}Z`
}
