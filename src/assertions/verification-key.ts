// One public key of somebody else (RFC 7517), opened for verifying: what may be one, and what it may verify.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { isFairSize, type JwsAlg, RSA_BITS } from '../runtime/jws-algorithms.ts'
import { memberOf } from '../runtime/strict-json.ts'
import { algsOf, isSameAlg } from './assertion-algs.ts'

export interface VerificationKey {
  readonly kid: string | undefined
  /** What it may have signed with. */
  readonly algs: readonly JwsAlg[]
  readonly object: KeyObject
}

export type OpenedKey =
  | { readonly key: VerificationKey; readonly problem?: never }
  | { readonly key?: never; readonly problem: string }

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const
/** Nothing else of a key is looked at. */
const PUBLIC_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['kty', 'crv', 'x', 'y'],
  OKP: ['kty', 'crv', 'x'],
  RSA: ['kty', 'n', 'e'],
}
const CURVES: Readonly<Record<string, string>> = { EC: 'P-256', OKP: 'Ed25519' }
const KID_LENGTH_MAX = 512

/** What a key says of itself that it is for: a bundle of SPIFFE marks those that sign JWT-SVIDs. */
export type KeyUse = 'sig' | 'jwt-svid'

/** The key, or why it is none that we take; the problem never repeats any of it. */
export function openVerificationKey(jwk: unknown, use: KeyUse = 'sig'): OpenedKey {
  const has = (name: string) => memberOf(jwk, name) !== undefined
  if (PRIVATE_MEMBERS.some(has)) return { problem: 'must not hold private members' }
  const kty = memberOf(jwk, 'kty')
  const members = typeof kty === 'string' ? memberOf(PUBLIC_MEMBERS, kty) : undefined
  if (!Array.isArray(members)) return { problem: 'must have the kty EC, OKP or RSA' }
  const curve = memberOf(CURVES, String(kty))
  if (curve !== memberOf(jwk, 'crv')) return { problem: `must have the crv ${curve}` }
  const kid = memberOf(jwk, 'kid')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > KID_LENGTH_MAX)) {
    return { problem: `must have a kid of at most ${KID_LENGTH_MAX} characters, or none` }
  }
  if (!isForVerifying(jwk, use)) return { problem: 'must be for signatures (use, key_ops)' }
  const object = importKey(jwk, members as string[])
  if (!object) return { problem: 'must be a key that can be read' }
  if (!isFairSize(object)) {
    const detail = `must have ${RSA_BITS.min} to ${RSA_BITS.max} bits and the exponent 65537`
    return { problem: detail }
  }
  const alg = memberOf(jwk, 'alg')
  const algs = algsOf(object.asymmetricKeyType).filter(
    (name) => alg === undefined || (typeof alg === 'string' && isSameAlg(alg, name)),
  )
  if (algs.length === 0) return { problem: 'must have an alg that fits its kty, or none' }
  return { key: { kid, algs, object } }
}

/** RFC 7517 §4.2, §4.3. */
function isForVerifying(jwk: unknown, wanted: KeyUse): boolean {
  const [use, operations] = [memberOf(jwk, 'use'), memberOf(jwk, 'key_ops')]
  // One for certificates of a bundle says so, and one for JWT-SVIDs never leaves it out.
  const isUnmarked = use === undefined && wanted === 'sig'
  if (use !== wanted && !isUnmarked) return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function importKey(jwk: unknown, members: readonly string[]): KeyObject | undefined {
  const values = members.map((name) => [name, memberOf(jwk, name)])
  if (!values.every(([, value]) => typeof value === 'string' && value !== '')) return undefined
  try {
    return createPublicKey({ key: Object.fromEntries(values), format: 'jwk' })
  } catch {
    return undefined
  }
}
