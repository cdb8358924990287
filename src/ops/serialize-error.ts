// An error as a log line may show it: only fields of a list, because errors of ioredis hold
// commands, those of Prisma queries, and those of pg values of a row.

const CAUSES_MAX = 3
const FRAMES_MAX = 20
const MESSAGE_MAX = 300

export interface LoggedError {
  readonly name: string
  readonly message: string
  readonly code?: string | number
  readonly stack?: string
  readonly cause?: LoggedError
}

/**
 * Name, message up to its first quotation mark, code, stack frames and up to three causes in the
 * same form. Of a thrown value that is no Error only the type is kept.
 */
export function serializeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { name: 'NotAnError', message: `thrown ${typeof error}` }
  const code = 'code' in error ? cleanCode(error.code) : undefined
  const frames = stackFrames(error)
  const hasCause = error.cause !== undefined && depth < CAUSES_MAX
  return {
    name: String(error.name).slice(0, 64),
    message: cleanMessage(error),
    ...(code === undefined ? {} : { code }),
    ...(frames === '' ? {} : { stack: frames }),
    ...(hasCause ? { cause: serializeError(error.cause, depth + 1) } : {}),
  }
}

/**
 * Servers and parsers repeat what they were given in quotation marks (`invalid input syntax for
 * type uuid: "…"`, `Received '…'`, Prisma's whole invocation), so the message ends at the first.
 */
function cleanMessage(error: Error): string {
  // A SyntaxError repeats its input also without quotation marks: `Cannot convert … to a BigInt`.
  if (error instanceof SyntaxError) return ''
  const message = String(error.message)
  const quote = message.search(/["'`\n]/)
  return (quote === -1 ? message : `${message.slice(0, quote)}…`).slice(0, MESSAGE_MAX)
}

function cleanCode(code: unknown): string | number | undefined {
  if (typeof code === 'number') return code
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : undefined
}

/** The frames of the stack without the message, which a stack repeats in full. */
function stackFrames(error: Error): string {
  const stack = String(error.stack ?? '').replace(String(error.message), '')
  const frames = stack.split('\n').filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
  return frames.slice(0, FRAMES_MAX).join('\n')
}
