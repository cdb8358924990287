// The log: JSON lines on standard output from which secrets are cut three times over, by the name
// of the field, by the type of the value and by the shape of the text. The rule stays that callers
// do not hand secrets in; this is for the day when one does.

import { type DestinationStream, type Logger, pino } from 'pino'
import { serializeError } from './serialize-error.ts'

export const CENSOR = '[redacted]'
const DEPTH_MAX = 5

/** Compared without case, hyphens and underscores. */
const SECRET_NAME =
  /password|passphrase|secret|token|assertion|credential|authorization|cookie|privatekey|privatejwk/
/** Where callers' own words travel: what was typed as a name, and everything of a raw request. */
const CALLERS_WORDS = new Set(
  (
    'username email identifier login url originalurl href query querystring search body rawbody ' +
    'headers params parameters command args values'
  ).split(' '),
)

// Anything that looks like a credential, wherever it stands in the line: JWTs, refresh tokens, the
// secrets that we make, Authorization values, the user part of a URL, form parameters. No alternative
// looks twice at the same text from two beginnings, so that a hostile User-Agent costs no more than
// another.
const SECRET_TEXT = new RegExp(
  [
    '(?<![\\w-])eyJ[\\w-]+\\.[\\w-]+(?:\\.[\\w-]*)*',
    '(?:lrt|lcs)_[\\w-]+',
    'whsec_[\\w+/=-]+',
    '\\b(?:Bearer|Basic|DPoP)\\s+[\\w.~+/=-]+',
    '(?<=:\\/\\/)[^\\s"/@:]*:[^\\s"/@]*(?=@)',
    '(?<=(?:password|username|secret|token|assertion)=)[^&\\s"\\\\]+',
  ].join('|'),
  'gi',
)

/**
 * Opens the log at one of pino's levels. Every line that any child writes goes through the cuts,
 * and then to `destination`, of the service a LogOutput.
 */
export function createLogger(
  level: string,
  destination: DestinationStream = process.stdout,
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // What the hook below has cleaned comes as plain data; child bindings still come as errors.
    serializers: { err: (err: unknown) => (err instanceof Error ? serializeError(err) : err) },
    // Child bindings do not pass the hook; at least their own names are watched.
    redact: { paths: ['authorization', 'cookie', 'password', 'token', 'url'], censor: CENSOR },
    hooks: {
      logMethod(this: Logger, args: unknown[], method: (...args: unknown[]) => void) {
        method.apply(this, withoutRepeatedMessage(args).map(cleanArgument))
      },
      streamWrite: (line: string) => line.replace(SECRET_TEXT, CENSOR),
    },
  }
  return pino(options, destination)
}

/** Fastify hands in an error's message beside the error, raw. */
function withoutRepeatedMessage(args: readonly unknown[]): readonly unknown[] {
  const [fields, message, ...rest] = args
  const isField = typeof fields === 'object' && fields !== null && 'err' in fields
  const err = isField ? fields.err : fields
  return err instanceof Error && message === err.message ? [fields, ...rest] : args
}

const vouchedFor = new WeakSet<object>()

/**
 * Takes fields past the cuts by name and type, which cost more than the line itself: only for
 * lines that every request writes, and only with values that are ours.
 */
export function vouchFor<T extends object>(fields: T): T {
  vouchedFor.add(fields)
  return fields
}

// pino takes an error as the first argument and then repeats its raw message as the line's own.
function cleanArgument(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && vouchedFor.has(value)) return value
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
