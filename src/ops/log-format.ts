// How the lines of the log look: JSON as they are made, or lines for people on a terminal. Only what
// is already censored comes here, and nothing here waits for anybody.

import { toPrintable } from '../runtime/printable.ts'
import { censorText } from './logger.ts'

/** From whole lines to whole lines, each with its newline. */
export type FormatLines = (text: string) => string

export interface ChosenFormat {
  /** Undefined: JSON, as the lines come. */
  readonly format: FormatLines | undefined
  /** Sentences for the operator. */
  readonly notices: readonly string[]
}

/** `pretty` is for a terminal alone: what collects the log anywhere else expects JSON. */
export function chooseLogFormat(
  wanted: 'json' | 'pretty',
  { env, isTerminal }: { readonly env: Variables; readonly isTerminal: boolean },
): ChosenFormat {
  if (wanted === 'json') return { format: undefined, notices: [] }
  if (isTerminal) return { format: openPrettyFormat(hasColours(env)), notices: [] }
  const notice = 'LOG_FORMAT is pretty, but standard output is no terminal: the log is JSON'
  return { format: undefined, notices: [notice] }
}

type Variables = Readonly<Record<string, string | undefined>>

/** https://no-color.org: any value but an empty one asks for none. */
function hasColours({ NO_COLOR, TERM }: Variables): boolean {
  return !NO_COLOR && TERM !== 'dumb'
}

const COLOURS: Readonly<Record<string, string>> = {
  fatal: '\u001b[41;97m',
  error: '\u001b[31m',
  warn: '\u001b[33m',
  info: '\u001b[32m',
  debug: '\u001b[36m',
  trace: '\u001b[2m',
}
const DIM = '\u001b[2m'
const PLAIN = '\u001b[0m'
/** Values that need no quotation marks. */
const BARE = /^[\w./:@*+-]{1,200}$/

/** For people. What is no line of the log, such as the welcome of embedded mode, stays as it is. */
function openPrettyFormat(isColoured: boolean): FormatLines {
  const paint = (colour: string, text: string) => (isColoured ? colour + text + PLAIN : text)
  return (text) =>
    text
      .split('\n')
      .map((line) => {
        const fields = line.startsWith('{') ? parseLine(line) : undefined
        return fields === undefined ? line : censorText(formatFields(fields, paint))
      })
      .join('\n')
}

type Fields = Readonly<Record<string, unknown>>
type Paint = (colour: string, text: string) => string

function parseLine(line: string): Fields | undefined {
  try {
    const fields = JSON.parse(line) as Fields
    return typeof fields.level === 'string' ? fields : undefined
  } catch {
    return undefined
  }
}

function formatFields(fields: Fields, paint: Paint): string {
  const { level, time, worker, event, msg, err, ...rest } = fields
  const { head, others } = event === 'request.completed' ? splitRequest(rest) : noHead(rest)
  const name = String(level)
  const parts = [
    paint(DIM, timeOfDay(time)),
    paint(COLOURS[name] ?? '', toPrintable(name).toUpperCase().padEnd(5)),
    worker === undefined ? '' : `[${formatValue(worker)}]`,
    event === undefined ? '' : formatValue(event),
    head,
    isRepeated(msg, err) ? '' : toPrintable(String(msg)),
    ...Object.entries(others).map(
      ([key, value]) => `${paint(DIM, `${toPrintable(key)}=`)}${formatValue(value)}`,
    ),
  ]
  return parts.filter((part) => part !== '').join(' ') + formatError(err, paint)
}

/** pino repeats the message of an error where there is no other. */
function isRepeated(msg: unknown, err: unknown): boolean {
  return (
    msg === undefined || (typeof err === 'object' && msg === (err as LineError | null)?.message)
  )
}

/** What everybody looks for first needs no names: method, route, status, time. */
function splitRequest(fields: Fields): { head: string; others: Fields } {
  const { method, route, status, durationMs, reqId, traceparent, ...others } = fields
  const head = [method, route ?? 'none', status].map(formatValue).join(' ')
  // Long ids come last, and the trace once, as its id.
  const ids = { reqId, ...('traceId' in others ? {} : { traceparent }) }
  return { head: `${head} ${formatValue(durationMs)}ms`, others: defined({ ...others, ...ids }) }
}

function noHead(others: Fields): { head: string; others: Fields } {
  return { head: '', others }
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** In UTC, as every time of the log; the day is that of whoever looks on. */
function timeOfDay(time: unknown): string {
  const found = typeof time === 'string' ? /T([\d:.]{8,12})Z$/.exec(time) : null
  return found?.[1] ?? '--:--:--.---'
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && BARE.test(value)) return value
  return toPrintable(JSON.stringify(value) ?? 'undefined')
}

interface LineError {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly stack?: unknown
  readonly cause?: unknown
}

/** The error and its causes on lines of their own, with their frames. */
function formatError(err: unknown, paint: Paint, lead = 'err'): string {
  if (err === undefined || err === null) return ''
  if (typeof err !== 'object') return ` ${lead}=${formatValue(err)}`
  const { name, message, code, stack, cause } = err as LineError
  const what = [name, message].filter((part) => part !== undefined && part !== '').map(String)
  const coded = code === undefined ? '' : ` (${String(code)})`
  const frames = typeof stack === 'string' ? stack.split('\n') : []
  const lines = [
    `\n    ${lead}: ${toPrintable(what.join(': ') + coded)}`,
    ...frames.map((frame) => `\n      ${paint(DIM, toPrintable(frame.trim()))}`),
  ]
  return lines.join('') + formatError(cause, paint, 'caused by')
}
