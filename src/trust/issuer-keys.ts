// The keys of a trusted issuer: given as they are, or fetched from where it publishes them. Those of one
// issuer never verify what another one is said to have signed.

import { findJwksUriProblem } from '../assertions/jwks-uri.ts'
import { type KeySource, statedKeys } from '../assertions/key-source.ts'
import type { RemoteKeys } from '../assertions/remote-keys.ts'
import { type KeyUse, openVerificationKey } from '../assertions/verification-key.ts'
import type { FieldError } from '../runtime/field-error.ts'
import { isJwsAlg, JWS_ALGS } from '../runtime/jws-algorithms.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'

const KEYS_MAX = 20
const KEYS_BYTES_MAX = 32 * 1024

type IssuerKeys = Pick<TrustedIssuer, 'kind' | 'jwks' | 'jwksUri' | 'allowPrivateNetwork' | 'algs'>

/** SPIFFE §4: a bundle has keys for certificates beside those that sign JWT-SVIDs. */
function useOf({ kind }: Pick<TrustedIssuer, 'kind'>): KeyUse {
  return kind === 'spiffe' ? 'jwt-svid' : 'sig'
}

/** Where the keys of the issuer come from. */
export function keysOf(issuer: IssuerKeys, remoteKeys: RemoteKeys): KeySource {
  const { jwks, jwksUri, allowPrivateNetwork } = issuer
  if (jwks !== null) return statedKeys(jwks, useOf(issuer))
  return remoteKeys.at(jwksUri ?? '', allowPrivateNetwork, useOf(issuer))
}

/** Exactly one of the two, with public keys alone that can verify something. */
export function checkIssuerKeys(draft: IssuerKeys): FieldError[] {
  return [...checkSource(draft), ...checkAlgs(draft)]
}

function checkSource(draft: IssuerKeys): FieldError[] {
  const { jwks, jwksUri, allowPrivateNetwork } = draft
  if (jwks !== null && jwksUri === null) return checkStated(jwks, useOf(draft))
  if (jwks === null && jwksUri !== null) {
    const detail = findJwksUriProblem(jwksUri, allowPrivateNetwork)
    return detail === undefined ? [] : [{ pointer: '/jwksUri', detail }]
  }
  return [{ pointer: '/jwks', detail: 'must be there, or jwksUri, and not both' }]
}

function checkStated(jwks: object, use: KeyUse): FieldError[] {
  const { keys } = { keys: undefined, ...jwks } as { readonly keys: unknown }
  const isGood = Array.isArray(keys) && keys.length > 0 && keys.length <= KEYS_MAX
  if (!isGood || Buffer.byteLength(JSON.stringify(jwks)) > KEYS_BYTES_MAX) {
    const detail = `must be a JWK Set of 1 to ${KEYS_MAX} keys, of at most ${KEYS_BYTES_MAX} bytes`
    return [{ pointer: '/jwks', detail }]
  }
  return keys.flatMap((jwk, index) => {
    const { problem } = openVerificationKey(jwk, use)
    return problem === undefined ? [] : [{ pointer: `/jwks/keys/${index}`, detail: problem }]
  })
}

function checkAlgs({ algs }: IssuerKeys): FieldError[] {
  if (algs.every(isJwsAlg) && new Set(algs).size === algs.length) return []
  const detail = `must be of ${JWS_ALGS.join(', ')}, each once`
  return [{ pointer: '/algs', detail }]
}
