// The JWK Set that verifiers fetch (RFC 7517 §5): public members only, in an order that moves only
// with the keys.

import { type CacheableBody, cacheableBody } from '../runtime/cacheable-body.ts'
import type { KeyMaterial } from './key-material.ts'
import type { SigningKey } from './key-states.ts'

export function buildJwksDocument(
  keys: readonly SigningKey[],
  maxAgeSeconds: number,
): CacheableBody {
  const body = JSON.stringify({ keys: keys.map((key) => key.material.publicJwk) })
  return cacheableBody(body, maxAgeSeconds)
}

/** Builds the document anew only when the keys are others than the last time. */
export function keepJwksDocument(
  maxAgeSeconds: number,
): (keys: readonly SigningKey[]) => CacheableBody {
  let shown: readonly KeyMaterial[] = []
  let document = buildJwksDocument([], maxAgeSeconds)
  return (keys) => {
    if (keys.length !== shown.length || keys.some(({ material }, i) => material !== shown[i])) {
      shown = keys.map(({ material }) => material)
      document = buildJwksDocument(keys, maxAgeSeconds)
    }
    return document
  }
}
