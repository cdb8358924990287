// How the names of algorithms are compared where an assertion or its key says one.

import { JWS_ALGORITHMS, JWS_ALGS, type JwsAlg } from '../runtime/jws-algorithms.ts'

/** Whether both names mean one algorithm. */
export function isSameAlg(one: string, other: string): boolean {
  const plain = (name: string) => (name === 'Ed25519' ? 'EdDSA' : name)
  return plain(one) === plain(other)
}

/** What a key of this type can sign with. */
export function algsOf(keyType: string | undefined): readonly JwsAlg[] {
  return JWS_ALGS.filter((alg) => JWS_ALGORITHMS[alg].keyType === keyType)
}
