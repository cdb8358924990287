// Requests written byte by byte, for what `fetch` would never send.

import { connect } from 'node:net'
import type { Test } from 'tap'

export interface WireAnswer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Sends the bytes and reads until the server ends the connection, so the last request should say
 * `Connection: close`. `bodiless` is for answers to HEAD. With `isAll`, the sender says that nothing follows, so
 * that nobody waits for the rest of what is not whole.
 */
export function exchange(
  url: string,
  bytes: string | Buffer,
  { bodiless = false, isAll = false } = {},
): Promise<readonly WireAnswer[]> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => {
      const sent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
      if (isAll) socket.end(sent)
      else socket.write(sent)
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    // A server that refuses early may reset while we still write; what it said counts.
    socket.on('error', () => {})
    socket.on('close', () => {
      try {
        resolve(parseAnswers(Buffer.concat(chunks), bodiless))
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** A request whose answer closes the connection; the length of the body is told. */
export function write(start: string, headers: readonly string[] = [], body?: string | Buffer) {
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const length = bytes ? [`Content-Length: ${bytes.length}`] : []
  const lines = [`${start} HTTP/1.1`, 'Host: lineage.test', ...headers, ...length]
  const head = Buffer.from(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`, 'latin1')
  return Buffer.concat([head, bytes ?? Buffer.alloc(0)])
}

export const FORM = 'Content-Type: application/x-www-form-urlencoded'
export const JSON_TYPE = 'Content-Type: application/json'

export function basic(pair: string | Buffer): string {
  return `Authorization: Basic ${Buffer.from(pair).toString('base64')}`
}

/** A refusal of an OAuth endpoint (RFC 6749 §5.2): nothing but the two members, never cached. */
export function isOAuthRefusal(t: Test, answer: WireAnswer | undefined, what: string): void {
  t.strictSame(Object.keys(readJson(answer)), ['error', 'error_description'], `${what}: members`)
  t.match(answer?.headers['content-type'], /^application\/json/, `${what}: media type`)
  t.equal(answer?.headers['cache-control'], 'no-store', `${what}: no-store`)
}

/** A problem document (RFC 9457) whose status is that of the answer, never cached. */
export function isProblem(t: Test, answer: WireAnswer | undefined, what: string): void {
  const problem = readJson(answer)
  const known = ['type', 'title', 'status', 'detail', 'code', 'errors', 'requestId']
  t.equal(problem.status, answer?.status, `${what}: status within`)
  t.match(problem.code, /^[a-z_]+$/, `${what}: code`)
  // Neither is there where no request could be read.
  t.equal(problem.requestId, answer?.headers['x-request-id'], `${what}: id of the request`)
  t.strictSame(
    Object.keys(problem).filter((member) => !known.includes(member)),
    [],
    `${what}: members`,
  )
  t.match(answer?.headers['content-type'], /^application\/problem\+json/, `${what}: media type`)
  t.equal(answer?.headers['cache-control'], 'no-store', `${what}: no-store`)
}

export function readJson(answer: WireAnswer | undefined): Record<string, unknown> {
  return JSON.parse(answer?.body ?? '') as Record<string, unknown>
}

function parseAnswers(bytes: Buffer, bodiless: boolean): WireAnswer[] {
  const answers: WireAnswer[] = []
  let rest = bytes.toString('latin1')
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error('an answer without an end of its head')
    const [start = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const status = Number(start.split(' ')[1])
    const length = bodiless ? 0 : Number(headers['content-length'] ?? 0)
    const body = Buffer.from(rest.slice(end + 4, end + 4 + length), 'latin1').toString()
    rest = rest.slice(end + 4 + length)
    if (status >= 200) answers.push({ status, headers, body })
  }
  return answers
}
