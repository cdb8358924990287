// One kept-alive HTTP/1.1 connection that carries finished requests as text: so cheap that the load
// is not what is measured.

import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface HttpConnection {
  /** One request at a time. Rejects when the connection ends or the answer is no HTTP. */
  send(request: string): Promise<Answer>
  close(): void
}

/** That of a browser, which is longer than any other, and is kept with a session. */
export const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const HEADERS = `host: localhost\r\nuser-agent: ${USER_AGENT}`
const HEAD_END = '\r\n\r\n'

/** A request with a form in its body; with `ip` as a proxy passes it on for that address. */
export function formRequest(
  path: string,
  fields: Readonly<Record<string, string>>,
  ip?: string,
): string {
  const body = new URLSearchParams(fields).toString()
  const forwarded = ip === undefined ? '' : `x-forwarded-for: ${ip}\r\n`
  return (
    `POST ${path} HTTP/1.1\r\n${HEADERS}\r\n${forwarded}` +
    `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}${HEAD_END}${body}`
  )
}

export function getRequest(path: string, bearerToken?: string): string {
  const authorization = bearerToken === undefined ? '' : `\r\nauthorization: Bearer ${bearerToken}`
  return `GET ${path} HTTP/1.1\r\n${HEADERS}${authorization}${HEAD_END}`
}

export function openConnection(port: number): Promise<HttpConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(carry(socket)))
    socket.once('error', reject)
    socket.setNoDelay(true)
  })
}

function carry(socket: Socket): HttpConnection {
  let received: Buffer | undefined
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined
  const fail = (error: Error) => {
    waiting?.reject(error)
    waiting = undefined
  }
  socket.removeAllListeners('error')
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))
  socket.on('data', (bytes) => {
    received = received ? Buffer.concat([received, bytes]) : bytes
    try {
      const answer = parseAnswer(received)
      if (!answer) return
      received = undefined
      waiting?.resolve(answer)
      waiting = undefined
    } catch (error) {
      fail(error as Error)
      socket.destroy()
    }
  })
  return {
    send(request) {
      return new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('the connection is closed'))
        waiting = { resolve, reject }
        socket.write(request)
      })
    },
    close: () => socket.destroy(),
  }
}

/** Undefined while the answer is not whole. */
function parseAnswer(bytes: Buffer): Answer | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  const bodyStart = headEnd + HEAD_END.length
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    const end = bodyStart + Number(length)
    if (bytes.length > end) throw new Error('more than one answer to one request')
    return bytes.length === end
      ? { status, body: bytes.toString('utf8', bodyStart, end) }
      : undefined
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return parseChunks(bytes, bodyStart, status)
  return { status, body: '' }
}

function parseChunks(bytes: Buffer, from: number, status: number): Answer | undefined {
  const parts: string[] = []
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return undefined
    if (size === 0) return { status, body: parts.join('') }
    parts.push(bytes.toString('utf8', lineEnd + 2, end))
    at = end + 2
  }
}
