// W3C Trace Context, level 1: which trace a request belongs to, read and written. Of `tracestate` nothing
// is kept: what others have written there would go on to the receivers of webhooks.

import type { SpanContext } from '@opentelemetry/api'

/** Version 00 to the letter; of a later one, which may have more behind them, the same four parts. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const LENGTH_MAX = 512

/** The caller's span; undefined for what is no traceparent. */
export function readTraceparent(text: string | undefined): SpanContext | undefined {
  if (text === undefined || text.length > LENGTH_MAX) return undefined
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text) ?? []
  if (!traceId || !spanId || !flags || (version === '00' && rest !== undefined)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}

export function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags & 1 ? '01' : '00'}`
}
