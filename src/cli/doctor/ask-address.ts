// One request to the public address of the service, byte for byte as it is given: a path is neither
// resolved nor escaped, a redirect not followed, a certificate judged elsewhere. Nothing secret is sent.

import { Agent, type IncomingHttpHeaders, request as overHttp } from 'node:http'
import { request as overTls, Agent as TlsAgent } from 'node:https'
import { readAnswer } from '../read-answer.ts'

const TIMEOUT_MS = 5_000
const BYTES_MAX = 256 * 1024

export interface Question {
  readonly method?: string
  /** Behind the path of the address, and sent as it stands. */
  readonly path: string
  /** At the root of the host instead. */
  readonly isAtRoot?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** The body, as a form. */
  readonly form?: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Whether the connection had served another request before. */
  readonly isReused: boolean
  /** Our own address on that connection. */
  readonly localAddress: string
  readonly sentAtMs: number
  readonly answeredAtMs: number
}

/** No answer, or none that could be read; the message says why. */
export class NoAnswer extends Error {
  override name = 'NoAnswer'
}

export interface Address {
  readonly url: URL
  /** Rejects with NoAnswer. */
  ask(question: Question): Promise<Answer>
  close(): void
}

/** `userAgent` is what the log of the service and of the proxy has of these requests. */
export function openAddress(given: string, userAgent: string): Address {
  const url = new URL(given)
  const isTls = url.protocol === 'https:'
  const basePath = url.pathname.replace(/\/$/, '')
  const options = { keepAlive: true, maxSockets: 1 }
  // An untrusted certificate is a finding; the others are wanted all the same.
  const agent = isTls ? new TlsAgent({ ...options, rejectUnauthorized: false }) : new Agent(options)

  function ask({ method, path, isAtRoot, headers, form }: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sentAtMs = Date.now()
      const outgoing = (isTls ? overTls : overHttp)({
        agent,
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: url.port || (isTls ? 443 : 80),
        method: method ?? (form === undefined ? 'GET' : 'POST'),
        path: isAtRoot ? path : `${basePath}${path}`,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          host: url.host,
          'user-agent': userAgent,
          ...(form === undefined
            ? {}
            : {
                'content-type': 'application/x-www-form-urlencoded',
                'content-length': String(Buffer.byteLength(form)),
              }),
          ...headers,
        },
      })
      const fail = (error: unknown) => reject(new NoAnswer(nameProblem(error)))
      let isAnswered = false
      outgoing.on('error', fail)
      // A connection that turns to another protocol (101) ends without another word.
      outgoing.on('close', () => isAnswered || reject(new NoAnswer('closed without an answer')))
      outgoing.on('response', (incoming) => {
        isAnswered = true
        const { statusCode: status = 0, headers: answered } = incoming
        const { localAddress = '' } = outgoing.socket ?? {}
        const answeredAtMs = Date.now()
        const seen = { status, headers: answered, isReused: outgoing.reusedSocket, localAddress }
        readAnswer(incoming, BYTES_MAX).then(
          (body) => resolve({ ...seen, body, sentAtMs, answeredAtMs }),
          fail,
        )
      })
      outgoing.end(form)
    })
  }

  return { url, ask, close: () => agent.destroy() }
}

function nameProblem(error: unknown): string {
  if (error instanceof RangeError) return 'the answer is too long'
  const { name, code } = error as { name?: unknown; code?: unknown }
  if (name === 'TimeoutError' || name === 'AbortError' || code === 'ABORT_ERR') {
    return `no answer in ${TIMEOUT_MS / 1000} s`
  }
  return typeof code === 'string' ? code : 'the request failed'
}
