// The log: JSON lines on standard output from which secrets are removed in three ways: by the name
// of the field, by the type of the value and by the form of the text. Callers must not hand secrets
// in; this is for the case that one does.

import { type DestinationStream, type Logger, pino } from 'pino'
import type { LogThreshold } from '../runtime/log-level.ts'
import { type ConcernLevels, keepConcernRule, lowestLevel, openConcernRule } from './log-levels.ts'
import { serializeError } from './serialize-error.ts'

const CENSOR = '[redacted]'
const DEPTH_MAX = 5

/** Compared without case, hyphens and underscores. */
const SECRET_NAME =
  /password|passphrase|secret|token|assertion|credential|authorization|cookie|privatekey|privatejwk/
/** Fields that could hold what a caller typed: names, and every part of a raw request. */
const CALLERS_WORDS = new Set(
  (
    'username email identifier login url originalurl href query querystring search body rawbody ' +
    'headers params parameters command args values'
  ).split(' '),
)

// Anything that looks like a credential, wherever it stands in the line: JWTs, refresh tokens, the
// secrets that we make, Authorization values, the user part of a URL, form parameters. Each
// alternative is linear, so that a hostile User-Agent costs no more than another
// (test/linear-time/patterns.test.ts).
const SECRET_TEXT = new RegExp(
  [
    '(?<![\\w-])eyJ[\\w-]+\\.[\\w-]+(?:\\.[\\w-]*)*',
    '(?:lrt|lcs|lct)_[\\w-]+',
    'whsec_[\\w+/=-]+',
    // A tab or a line break is escaped in the line.
    '\\b(?:Bearer|Basic|DPoP)(?:\\s|\\\\[fnrt])+[\\w.~+/=-]+',
    '(?<=:\\/\\/)[^\\s"/@:]*:[^\\s"/@]*(?=@)',
    '(?<=(?:password|username|secret|token|assertion)=)[^&\\s"\\\\]+',
  ].join('|'),
  'gi',
)

/** The text without what looks like a credential. */
export function censorText(text: string): string {
  return text.replace(SECRET_TEXT, CENSOR)
}

export interface LoggerOptions {
  /** What every line holds. */
  readonly base?: Readonly<Record<string, number>>
  /** Concerns with a level of their own, above or below that of the log. */
  readonly concerns?: ConcernLevels
}

/**
 * Opens the log at one of pino's levels. Every line that any child writes goes through the cuts,
 * and then to `destination`, of the service a LogOutput.
 */
export function createLogger(
  level: LogThreshold,
  destination: DestinationStream = process.stdout,
  { base, concerns = new Map() }: LoggerOptions = {},
): Logger {
  const isWritten = openConcernRule(level, concerns)
  const options = {
    level: lowestLevel(level, concerns),
    base: base ?? null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // The hook below has turned errors into plain data; only those in child bindings still come
    // here.
    serializers: { err: (err: unknown) => (err instanceof Error ? serializeError(err) : err) },
    // Child bindings do not pass the hook; at least these names are redacted in them.
    redact: { paths: ['authorization', 'cookie', 'password', 'token', 'url'], censor: CENSOR },
    hooks: {
      logMethod(
        this: Logger,
        args: unknown[],
        method: (...args: unknown[]) => void,
        lineLevel: number,
      ) {
        if (isWritten && !isWritten(eventOf(args), lineLevel)) return
        method.apply(this, withoutRepeatedMessage(args).map(cleanArgument))
      },
      streamWrite: censorText,
    },
  }
  const logger = pino(options, destination)
  keepConcernRule(logger, isWritten)
  return logger
}

function eventOf([fields]: readonly unknown[]): unknown {
  return typeof fields === 'object' && fields !== null && 'event' in fields && fields.event
}

/**
 * Without the message that Fastify hands in beside the error: it is the error's own, not cleaned.
 */
function withoutRepeatedMessage(args: readonly unknown[]): readonly unknown[] {
  const [fields, message, ...rest] = args
  const isField = typeof fields === 'object' && fields !== null && 'err' in fields
  const err = isField ? fields.err : fields
  return err instanceof Error && message === err.message ? [fields, ...rest] : args
}

// An error as first argument is turned into a field: pino would repeat its raw message in the line.
function cleanArgument(value: unknown): unknown {
  return value instanceof Error ? { err: serializeError(value) } : cleanValue(value, 0)
}

/** Plain data is copied without what must not be logged; any other object keeps only its type. */
function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (value instanceof Error) return serializeError(value)
  if (depth >= DEPTH_MAX) return '[deep]'
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor.name}]`
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretName(name) ? CENSOR : cleanValue(member, depth + 1),
    ]),
  )
}

function isSecretName(name: string): boolean {
  const plain = name.replaceAll(/[-_]/g, '').toLowerCase()
  return CALLERS_WORDS.has(plain) || SECRET_NAME.test(plain)
}
