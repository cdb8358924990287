// Examples as text: an operation as a `curl` command to paste into a POSIX shell, with its secrets
// in variables, and values as JSON.

import type { DocumentedBody, DocumentedOperation } from './documented-operation.ts'
import { mayNeedQuotes, QUOTE, withinQuotes, withoutPlaceholders } from './placeholders.ts'

/** `value` is an example of the operation's first body, undefined to send none. */
export function formatCurl(operation: DocumentedOperation, value?: unknown): string {
  const { method, security } = operation
  const [body] = value === undefined ? [] : operation.bodies
  const sent = body ? bodyOptions(body, value) : []
  const implied = sent.length > 0 ? 'POST' : 'GET'
  const isNamed = typeof value === 'object' && value !== null && 'client_id' in value
  const wants = (scheme: string) => security.some((demand) => scheme in demand)
  return [
    `curl ${quoteUrl(urlOf(operation))}`,
    ...(method === implied ? [] : [`-X ${method}`]),
    ...(wants('clientBasic') && !isNamed ? ['-u "$CLIENT_ID:$CLIENT_SECRET"'] : []),
    ...(wants('bearer') || wants('forwardedBearer')
      ? ['-H "Authorization: Bearer $ACCESS_TOKEN"']
      : []),
    ...sent,
  ].join(' \\\n  ')
}

/** With the examples of its path parameters. */
function urlOf({ baseUrl = '', path, parameters }: DocumentedOperation): string {
  const filled = path.replace(/\{(\w+)\}/g, (placeholder, name) =>
    String(parameters.find((parameter) => parameter.name === name)?.example ?? placeholder),
  )
  return `${baseUrl}${filled}`
}

function bodyOptions({ mediaType }: DocumentedBody, value: unknown): string[] {
  if (mediaType !== 'application/x-www-form-urlencoded') {
    return [`-H 'Content-Type: ${mediaType}'`, `-d ${quote(formatJson(value))}`]
  }
  const pairs = Object.entries(value as Record<string, string | string[]>).flatMap(
    ([name, values]) => [values].flat().map((one) => `${name}=${one}`),
  )
  return pairs.map((pair) =>
    /^[\w=.~-]+$/.test(pair) ? `-d ${pair}` : `--data-urlencode ${quote(pair)}`,
  )
}

/** Whether the issuer needs quotes is known when the service starts. */
function quoteUrl(url: string): string {
  if (!isPlain(withoutPlaceholders(url))) return inQuotes(withinQuotes(url))
  return mayNeedQuotes(url) ? `${QUOTE}${withinQuotes(url)}${QUOTE}` : url
}

function quote(text: string): string {
  return isPlain(text) ? text : inQuotes(text)
}

function isPlain(text: string): boolean {
  return /^[\w=.:/~-]+$/.test(text)
}

function inQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Indented, but lists of plain values on one line. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(/\[[^[\]{}]*\]/g, (list) =>
    list.replace(/\n\s*/g, (gap, at) =>
      at === 1 || at + gap.length === list.length - 1 ? '' : ' ',
    ),
  )
}
