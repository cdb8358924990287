// Whether an assertion is signed by one of its issuer's keys. The only place where that is decided.

import type { AssertionReason } from '../oauth/assertion-reason.ts'
import { isJwsAlg, isSignedBy } from '../runtime/jws-algorithms.ts'
import type { ForeignJwt } from './foreign-jwt.ts'
import type { KeySource } from './key-source.ts'
import type { VerificationKey } from './verification-key.ts'

/** So many signatures are tried for one assertion; a set with more keys of one kind names them. */
const TRIED_MAX = 4

/**
 * Why not; undefined when it is. Looks for the keys once more where none of them may be meant: the key may
 * be newer than what is known. Never rejects. The algorithm was allowed before.
 */
export async function checkSignature(
  jwt: ForeignJwt,
  source: KeySource,
): Promise<AssertionReason | undefined> {
  const keys = await source.current()
  if (!keys) return 'keys_unavailable'
  const found = findSigner(jwt, keys)
  if (found.outcome === 'signed') return undefined
  const newer = found.mayBeNewer ? await source.renewed() : undefined
  const again = newer ? findSigner(jwt, newer) : found
  return again.outcome === 'signed' ? undefined : again.outcome
}

function findSigner(jwt: ForeignJwt, keys: readonly VerificationKey[]) {
  const { header, signed, signature } = jwt
  const { alg, kid } = header
  const named = keys.filter((key) => key.kid !== undefined && key.kid === kid)
  // A `kid` is a hint (RFC 7515 §4.1.4): without one on either side any key may be meant.
  const meant = named.length > 0 ? named : keys.filter((key) => !kid || key.kid === undefined)
  const fitting = meant.filter(({ algs }) => algs.some((name) => name === alg)).slice(0, TRIED_MAX)
  const isSigned =
    isJwsAlg(alg) && fitting.some(({ object }) => isSignedBy(object, alg, signed, signature))
  if (isSigned) return { outcome: 'signed', mayBeNewer: false } as const
  const outcome = fitting.length === 0 ? 'key_unknown' : 'signature_wrong'
  return { outcome, mayBeNewer: named.length === 0 } as const
}
