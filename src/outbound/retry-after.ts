// When a receiver wants to be tried again (RFC 9110 §10.2.3): seconds, or a date.

const SECONDS = /^\d{1,9}$/
/** The one form of a date that is still to be sent (RFC 9110 §5.6.7). */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** In seconds from `nowMs`, never negative; undefined for what cannot be read. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (SECONDS.test(text)) return Number(text)
  const at = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - nowMs) / 1000))
}
