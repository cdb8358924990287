// One look at where keys are published: one GET on a connection of its own, to an address that was checked
// before, bounded in time and size. Follows no redirect.

import type { IncomingMessage } from 'node:http'
import { openAnswer, wordOf } from '../outbound/open-answer.ts'
import { type TraceCall, UNTRACED } from '../outbound/trace-call.ts'
import { memberOf, readJsonObject } from '../runtime/strict-json.ts'
import { trimBlanks } from '../runtime/trim-blanks.ts'
import { findJwksUriProblem, mayReachFor } from './jwks-uri.ts'
import { openKeys } from './key-source.ts'
import type { KeyUse, VerificationKey } from './verification-key.ts'

/** Connecting and reading together. */
const TIMEOUT_MS = 3_000
const BODY_BYTES_MAX = 256 * 1024
const KEYS_MAX = 100
const MAX_AGE_SECONDS_DEFAULT = 300
const MAX_AGE_SECONDS_MIN = 60
const MAX_AGE_SECONDS_MAX = 24 * 60 * 60

export type FetchedKeys =
  | {
      readonly keys: readonly VerificationKey[]
      /** How long they may be used without another look. */
      readonly maxAgeMs: number
      readonly problem?: never
    }
  | { readonly keys?: never; readonly problem: string }

export interface FetchOptions {
  readonly timeoutMs?: number | undefined
  /** The keys that are wanted; others are left out. */
  readonly use?: KeyUse | undefined
  readonly traceCall?: TraceCall | undefined
}

/** Never rejects; the problem is a short word that is safe to log. */
export async function fetchJwks(
  uri: string,
  allowPrivateNetwork: boolean,
  { timeoutMs = TIMEOUT_MS, use, traceCall = UNTRACED }: FetchOptions = {},
): Promise<FetchedKeys> {
  if (findJwksUriProblem(uri, allowPrivateNetwork)) return { problem: 'url_refused' }
  const url = new URL(uri)
  const mayReach = mayReachFor(url, allowPrivateNetwork)
  const call = traceCall('jwks')
  const headers = {
    ...call.headers,
    accept: 'application/jwk-set+json, application/json',
    'user-agent': 'lineage',
  }
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await openAnswer({ url, mayReach, headers, signal })
    const found = await readAnswer(answer, use)
    call.ended(answer.statusCode ?? 0)
    return found
  } catch (error) {
    const problem = signal.aborted ? 'timeout' : wordOf(error)
    call.ended(problem)
    return { problem }
  }
}

async function readAnswer(answer: IncomingMessage, use: KeyUse | undefined): Promise<FetchedKeys> {
  const { statusCode, headers } = answer
  if (statusCode !== 200) {
    answer.destroy()
    return { problem: `status_${statusCode}` }
  }
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop ends the connection, whatever is still to come.
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return { problem: 'too_large' }
    chunks.push(chunk)
  }
  const jwks = memberOf(readJsonObject(Buffer.concat(chunks)), 'keys')
  if (!Array.isArray(jwks)) return { problem: 'no_jwks' }
  if (jwks.length > KEYS_MAX) return { problem: 'too_many_keys' }
  return { keys: openKeys(jwks, use), maxAgeMs: maxAgeSeconds(headers) * 1000 }
}

/** RFC 9111 §4.2: what a cache on the way has used up of it is gone. */
function maxAgeSeconds({ 'cache-control': control = '', age = '' }: IncomingMessage['headers']) {
  const directives = control.toLowerCase().split(',', 20).map(trimBlanks)
  const isUncached = directives.some((part) => part === 'no-store' || part === 'no-cache')
  const stated = directives.find((part) => part.startsWith('max-age='))?.slice('max-age='.length)
  const seconds = isUncached ? 0 : (wholeNumber(stated) ?? MAX_AGE_SECONDS_DEFAULT)
  const left = seconds - (wholeNumber(age) ?? 0)
  return Math.min(Math.max(left, MAX_AGE_SECONDS_MIN), MAX_AGE_SECONDS_MAX)
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
