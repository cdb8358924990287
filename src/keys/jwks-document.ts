// The JWK Set that verifiers fetch (RFC 7517 §5): public members only, in an order that moves only
// with the keys.

import { createHash } from 'node:crypto'
import type { SigningKey } from './signing-key.ts'

export interface JwksDocument {
  readonly body: string
  /** A strong entity tag, quotes included: it changes when the body does. */
  readonly etag: string
  readonly maxAgeSeconds: number
}

export function buildJwksDocument(
  keys: readonly SigningKey[],
  maxAgeSeconds: number,
): JwksDocument {
  const body = JSON.stringify({ keys: keys.map((key) => key.material.publicJwk) })
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  return { body, etag: `"${digest}"`, maxAgeSeconds }
}
