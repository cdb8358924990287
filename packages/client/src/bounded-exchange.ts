// One request with an answer in JSON: in time, of bounded size, and never led elsewhere by a redirect.

import { TokenRequestError } from './client-errors.ts'
import { givenUpWith } from './give-up.ts'

/** `fetch`, or what a caller puts in its place, for a client certificate or a proxy. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface ExchangeSettings {
  readonly fetch: Fetch
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly nowMs: () => number
}

export interface JsonAnswer {
  readonly status: number
  readonly headers: Headers
  /** Undefined where the body is no JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined
  readonly retryAfterSeconds: number | undefined
}

/**
 * Throws TokenRequestError, and the reason of `signal` once that is aborted. A `fetch` that ignores its
 * signal is given up all the same.
 */
export async function exchangeJson(
  url: string,
  init: RequestInit,
  settings: ExchangeSettings,
  signal?: AbortSignal,
): Promise<JsonAnswer> {
  signal?.throwIfAborted()
  const timeout = AbortSignal.timeout(settings.timeoutMs)
  const either = signal ? AbortSignal.any([timeout, signal]) : timeout
  try {
    return await givenUpWith(either, readAnswer(url, { ...init, signal: either }, settings))
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (error instanceof TokenRequestError) throw error
    const { origin } = new URL(url)
    if (timeout.aborted) {
      throw new TokenRequestError('timeout', `${origin} has not answered in time`)
    }
    throw new TokenRequestError('network', `${origin} cannot be reached`, { cause: error })
  }
}

async function readAnswer(
  url: string,
  init: RequestInit,
  { fetch, maxBytes, nowMs }: ExchangeSettings,
): Promise<JsonAnswer> {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  const { status, headers } = response
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    await response.body?.cancel()
    throw new TokenRequestError('invalid_answer', `${new URL(url).origin} answered with a redirect`)
  }
  const json = parseObject(await readBounded(response, maxBytes))
  return { status, headers, json, retryAfterSeconds: readRetryAfter(headers, nowMs()) }
}

async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Left early, the loop cancels what is still to come.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new TokenRequestError('invalid_answer', 'the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function readRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  const seconds = Number(value)
  const found = Number.isNaN(seconds) ? (Date.parse(value) - nowMs) / 1000 : seconds
  return Number.isFinite(found) ? Math.max(0, found) : undefined
}
