// One batch on its way to a collector: POSTs on connections of their own until it is taken, is refused for
// good, or the time is over (OTLP 1.0, "OTLP/HTTP Request").

import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { openAnswer, wordOf } from '../outbound/open-answer.ts'
import { parseRetryAfter } from '../outbound/retry-after.ts'
import type { ExportTarget } from './telemetry-settings.ts'

const compress = promisify(gzip)

/** Of what a collector says; it says nothing that is needed. */
const ANSWER_BYTES_MAX = 64 * 1024
const FIRST_PAUSE_MS = 1_000
const PAUSE_MS_MAX = 5_000
/** What may be sent again; any other refusal would come again. */
const TEMPORARY = new Set([429, 502, 503, 504])

/** What came of it, in a word that is safe to log; undefined when the collector has it. */
export type ExportProblem = string | undefined

/** Never rejects. An aborted `signal` ends it at once. */
export async function sendExport(
  target: ExportTarget,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<ExportProblem> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(target.timeoutMs)])
  const endsAtMs = performance.now() + target.timeoutMs
  const body = target.isCompressed ? await compress(bytes) : Buffer.from(bytes)
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const { problem, isTemporary, retryAfterMs = pauseMs } = await post(target, body, limit)
    const isTooLate = performance.now() + retryAfterMs >= endsAtMs
    if (problem === undefined || !isTemporary || isTooLate || limit.aborted) return problem
    try {
      await delay(retryAfterMs, undefined, { signal: limit, ref: false })
    } catch {
      return problem
    }
  }
}

interface Attempt {
  readonly problem: ExportProblem
  readonly isTemporary?: boolean
  readonly retryAfterMs?: number | undefined
}

async function post(target: ExportTarget, body: Buffer, signal: AbortSignal): Promise<Attempt> {
  const { url, protocol, isCompressed, tls } = target
  const headers = {
    ...target.headers,
    'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    'content-length': body.length,
    'user-agent': 'lineage-otlp',
    ...(isCompressed && { 'content-encoding': 'gzip' }),
  }
  try {
    // The operator names the place, so it may lie anywhere.
    const mayReach = () => true
    const answer = await openAnswer({ url, mayReach, method: 'POST', headers, body, tls, signal })
    const { statusCode: status = 0 } = answer
    let length = 0
    // Read to the end, so that a collector which is asked again is not cut off while it answers.
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > ANSWER_BYTES_MAX) break
    }
    if (status >= 200 && status < 300) return { problem: undefined }
    const seconds = parseRetryAfter(answer.headers['retry-after'], Date.now())
    return {
      problem: `status_${status}`,
      isTemporary: TEMPORARY.has(status),
      retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
    }
  } catch (error) {
    return { problem: signal.aborted ? 'timeout' : wordOf(error), isTemporary: true }
  }
}
