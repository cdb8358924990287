// What the headers of an answer say of its body: its media type, and how long caches may keep it.

import type { Answer } from './http-exchange.ts'

/** In lower case and without parameters; empty without a Content-Type. */
export function mediaTypeOf({ headers }: Answer): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** The seconds of an explicit `max-age`; undefined without one. */
export function maxAgeOf({ headers }: Answer): number | undefined {
  const seconds = /(?:^|[\s,])max-age="?(\d+)"?/i.exec(headers['cache-control'] ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
