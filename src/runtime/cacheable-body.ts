// A body that may be kept by whoever asked for it, and the entity tag that tells it from another.

import { hash } from 'node:crypto'

const TAG_LENGTH = 22

export interface CacheableBody {
  readonly body: string
  readonly etag: string
  readonly maxAgeSeconds: number
}

export function cacheableBody(body: string, maxAgeSeconds: number): CacheableBody {
  return { body, etag: entityTagOf(body), maxAgeSeconds }
}

/** A strong entity tag, quotes included: the same for the same text, whichever instance made it. */
export function entityTagOf(text: string): string {
  return `"${hash('sha256', text, 'base64url').slice(0, TAG_LENGTH)}"`
}
