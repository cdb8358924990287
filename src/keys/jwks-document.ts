// The JWK Set that verifiers fetch (RFC 7517 §5): public members only, in an order that moves only
// with the keys.

import { type CacheableBody, cacheableBody } from '../runtime/cacheable-body.ts'
import type { SigningKey } from './key-states.ts'

export function buildJwksDocument(
  keys: readonly SigningKey[],
  maxAgeSeconds: number,
): CacheableBody {
  const body = JSON.stringify({ keys: keys.map((key) => key.material.publicJwk) })
  return cacheableBody(body, maxAgeSeconds)
}
