// The keys by which a client proves itself: stated with it, or published at a place of its own.

import { findJwksUriProblem } from '../assertions/jwks-uri.ts'
import { openVerificationKey } from '../assertions/verification-key.ts'
import type { FieldError } from '../runtime/field-error.ts'
import { isJwsAlg, JWS_ALGS } from '../runtime/jws-algorithms.ts'
import type { Client } from './client.ts'

export type ClientKeySettings = Pick<
  Client,
  'jwks' | 'jwksUri' | 'allowPrivateNetwork' | 'assertionAlgs'
>

const KEYS_MAX = 20
const JWKS_LENGTH_MAX = 32 * 1024

/** Public keys that can be read, in one place only. Never repeats any of what was given. */
export function checkKeys(draft: ClientKeySettings): FieldError[] {
  const { jwks, jwksUri, allowPrivateNetwork } = draft
  const errors = [...(jwks === null ? [] : checkJwks(jwks)), ...checkAlgs(draft)]
  if (jwksUri === null) return errors
  if (jwks !== null) errors.push({ pointer: '/jwksUri', detail: 'must not stand beside jwks' })
  const detail = findJwksUriProblem(jwksUri, allowPrivateNetwork)
  if (detail !== undefined) errors.push({ pointer: '/jwksUri', detail })
  return errors
}

/** The JSON type of the members is checked here: the schema of the route knows an object only. */
function checkJwks(jwks: object): FieldError[] {
  const keys: unknown = 'keys' in jwks ? jwks.keys : undefined
  if (!Array.isArray(keys) || Object.keys(jwks).length > 1) {
    return [{ pointer: '/jwks', detail: 'must have the member keys, a list, and no other' }]
  }
  if (keys.length === 0 || keys.length > KEYS_MAX) {
    return [{ pointer: '/jwks/keys', detail: `must have 1 to ${KEYS_MAX} keys` }]
  }
  if (JSON.stringify(keys).length > JWKS_LENGTH_MAX) {
    return [{ pointer: '/jwks', detail: `must have at most ${JWKS_LENGTH_MAX} characters` }]
  }
  return keys.flatMap((jwk, index) => {
    const { problem: detail } = openVerificationKey(jwk)
    return detail === undefined ? [] : [{ pointer: `/jwks/keys/${index}`, detail }]
  })
}

function checkAlgs({ assertionAlgs }: ClientKeySettings): FieldError[] {
  return assertionAlgs.flatMap((alg, index) => {
    const pointer = `/assertionAlgs/${index}`
    if (!isJwsAlg(alg)) {
      return [{ pointer, detail: `must be one of ${JWS_ALGS.join(', ')}` }]
    }
    const isRepeated = assertionAlgs.indexOf(alg) < index
    return isRepeated ? [{ pointer, detail: 'is given twice' }] : []
  })
}
