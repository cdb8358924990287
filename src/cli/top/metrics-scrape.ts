// One look at GET /metrics of a running service: bounded in time and in size, and with words for what
// stands in its way.

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { CommandFailure } from '../command-failure.ts'
import { readAnswer } from '../read-answer.ts'
import { type MetricSamples, MetricsTextError, parseMetricsText } from './metrics-text.ts'

const TIMEOUT_MS = 5_000
const BYTES_MAX = 8 * 1024 * 1024

export interface MetricsTarget {
  readonly url: URL
  /**
   * A loopback address of this machine that the environment names: its certificate is one for the
   * outside, so its name is not looked at.
   */
  readonly isOurOwn: boolean
}

export interface Scrape {
  readonly samples: MetricSamples
  /** When it was asked, on a clock that nobody sets. */
  readonly atMs: number
}

/** Throws CommandFailure, which says what to do; at once when `signal` aborts. */
export async function scrapeMetrics(target: MetricsTarget, signal?: AbortSignal): Promise<Scrape> {
  const { url } = target
  const atMs = performance.now()
  const { status, type, text } = await ask(target, signal).catch((error: unknown) => {
    throw new CommandFailure(`nothing to read at ${url.href}: ${explain(error)}`)
  })
  if (status === 404) throw new CommandFailure(notThere(url))
  if (status !== 200) throw new CommandFailure(`${url.href} answers with status ${status}`)
  const samples = type.startsWith('text/plain') ? parse(text, url) : undefined
  if (!samples?.has('lineage_build_info')) {
    throw new CommandFailure(`what answers at ${url.href} is no metrics of Lineage`)
  }
  return { samples, atMs }
}

function parse(text: string, url: URL): MetricSamples {
  try {
    return parseMetricsText(text)
  } catch (error) {
    if (!(error instanceof MetricsTextError)) throw error
    throw new CommandFailure(`what ${url.href} answers cannot be read: ${error.message}`)
  }
}

function notThere(url: URL): string {
  return (
    `there is nothing at ${url.href} (404): with LINEAGE_OPS_PORT metrics are on that port, which has to ` +
    'be set here as well or named by --url; without it the service shows them to its own machine alone'
  )
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

async function ask({ url, isOurOwn }: MetricsTarget, signal?: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return await new Promise((resolve, reject) => {
    const request = send(url, {
      agent: false,
      headers: { accept: 'text/plain;version=0.0.4' },
      rejectUnauthorized: !isOurOwn,
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    })
    let isAnswered = false
    request.on('response', (answer) => {
      isAnswered = true
      answer.on('error', reject)
      readAnswer(answer, BYTES_MAX).then(
        (text) =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? '',
            text,
          }),
        reject,
      )
    })
    request.on('error', reject)
    // A connection that turns to another protocol (101) ends without another word.
    request.on('close', () => isAnswered || reject(new Error('closed without an answer')))
    request.end()
  })
}

function explain(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException
  if (name === 'AbortError' || name === 'TimeoutError')
    return `no answer in ${TIMEOUT_MS / 1_000} s`
  if (code === 'ECONNREFUSED') {
    return `${code}; start the service, set PORT or LINEAGE_OPS_PORT as it has them, or name it by --url`
  }
  // OpenSSL's words for an answer that is no TLS are long and say less.
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL'))
    return `${code}; is it http: in place of https:?`
  if (code === 'ECONNRESET' || code?.startsWith('HPE_'))
    return `${code}; is it https: in place of http:?`
  if (code && /CERT|ISSUER|ALTNAME/.test(code)) {
    return `${code}; name it by --url as its certificate does, with the CA in NODE_EXTRA_CA_CERTS`
  }
  return code ?? message
}
