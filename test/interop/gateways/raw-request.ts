// Requests as an attacker would write them: any method, a path that nothing has tidied, headers with
// the spelling and as often as given.

import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

export type Headers = readonly (readonly [string, string])[]

export interface RawRequest {
  readonly method?: string
  readonly path: string
  readonly headers?: Headers
  readonly body?: string | Buffer
}

export interface RawAnswer {
  readonly status: number
  /** Every value of the header, named in lower case. */
  all(name: string): readonly string[]
  readonly body: string
}

const TIMEOUT_MS = 30_000

export async function send(port: number, raw: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', path, headers = [], body } = raw
  return await new Promise<RawAnswer>((resolve, reject) => {
    const length = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]
    const sent = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: ['Host', `127.0.0.1:${port}`, ...length, ...headers.flat()],
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    sent.on('error', reject)
    sent.on('response', (answer) => {
      text(answer).then((said) => {
        const all = (name: string) =>
          answer.rawHeaders.filter(
            (_, at) => at % 2 === 1 && isNamed(answer.rawHeaders[at - 1], name),
          )
        resolve({ status: answer.statusCode ?? 0, all, body: said })
      }, reject)
    })
    sent.end(body)
  })
}

/** Sends these very bytes and reads until the gateway hangs up, so they should ask it to. */
export async function sendBytes(port: number, bytes: string): Promise<RawAnswer> {
  const socket = connect({ port, host: '127.0.0.1' })
  const timer = setTimeout(() => socket.destroy(new Error('no end of the answer')), TIMEOUT_MS)
  socket.write(bytes, 'latin1')
  const said = await text(socket).finally(() => clearTimeout(timer))
  const end = said.indexOf('\r\n\r\n')
  const [first = '', ...lines] = said.slice(0, end).split('\r\n')
  const all = (name: string) =>
    lines
      .filter((line) => isNamed(line.split(':')[0], name))
      .map((line) => line.slice(name.length + 1).trim())
  return { status: Number(first.split(' ')[1]), all, body: said.slice(end + 4) }
}

function isNamed(header: string | undefined, name: string): boolean {
  return header?.toLowerCase() === name
}

export function bearer(token: string): Headers {
  return [['Authorization', `Bearer ${token}`]]
}
