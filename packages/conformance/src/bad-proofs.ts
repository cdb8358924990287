// DPoP proofs that a server has to refuse, each wrong in one way (RFC 9449 §4.3).

import {
  type ProofChanges,
  type ProofTarget,
  type Prover,
  proveByMac,
  proveUnsigned,
} from './dpop-prover.ts'
import type { MakeProofs } from './dpop-session.ts'

export interface BadProof {
  /** For messages: what is wrong. */
  readonly name: string
  readonly make: MakeProofs
}

const HOUR_SECONDS = 3600

/** What is wrong with the header, the key or the signature, or with their number. */
export function badHeaders(prover: Prover, stranger: Prover): readonly BadProof[] {
  const changed = (header: ProofChanges['header'] = {}) => one(prover, { header })
  return [
    {
      name: 'two proofs',
      make: async (target) => [await prover.prove(target), await prover.prove(target)],
    },
    { name: 'a proof of the typ JWT', make: changed({ typ: 'JWT' }) },
    { name: 'a proof without typ', make: changed({ typ: undefined }) },
    { name: 'a proof with alg none', make: async (target) => [proveUnsigned(prover, target)] },
    { name: 'a proof by a shared secret', make: async (target) => [proveByMac(target)] },
    { name: 'a proof with its private key', make: changed({ jwk: prover.privateJwk }) },
    { name: 'a proof without a key', make: changed({ jwk: undefined }) },
    { name: "a proof with another's key", make: changed({ jwk: stranger.publicJwk }) },
    {
      name: 'a proof with an unknown crit',
      make: changed({ crit: ['x-unknown'], 'x-unknown': 1 }),
    },
    {
      name: 'a proof whose claims were changed',
      make: async (target) => [await graft(prover, target)],
    },
    { name: 'a proof that is no JWT', make: async () => ['this-is-no-proof'] },
  ]
}

/** What is wrong with the claims. */
export function badClaims(prover: Prover): readonly BadProof[] {
  const changed = (claims: ProofChanges['claims'] = {}) => one(prover, { claims })
  return [
    { name: 'a proof for GET', make: changed({ htm: 'GET' }) },
    { name: 'a proof for another host', make: changed({ htu: 'https://other.invalid/token' }) },
    {
      name: 'a proof for another path',
      make: async (target) => [
        await prover.prove(target, { claims: { htu: `${target.url}/other` } }),
      ],
    },
    { name: 'a proof without jti', make: changed({ jti: undefined }) },
    { name: 'a proof without htm', make: changed({ htm: undefined }) },
    { name: 'a proof without htu', make: changed({ htu: undefined }) },
    { name: 'a proof without iat', make: changed({ iat: undefined }) },
  ]
}

/** Their time is wrong; where nonces are in use, the server may go by those (RFC 9449 §4.3). */
export function badTimes(prover: Prover): readonly BadProof[] {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return [
    {
      name: 'a proof from an hour ago',
      make: one(prover, { claims: { iat: nowSeconds - HOUR_SECONDS } }),
    },
    {
      name: 'a proof of the next hour',
      make: one(prover, { claims: { iat: nowSeconds + HOUR_SECONDS } }),
    },
  ]
}

function one(prover: Prover, changes: ProofChanges): MakeProofs {
  return async (target) => [await prover.prove(target, changes)]
}

/** The claims of one proof under the signature of another. */
async function graft(prover: Prover, target: ProofTarget): Promise<string> {
  const [signed, other] = [await prover.prove(target), await prover.prove(target)]
  const [header, , signature] = signed.split('.')
  return [header, other.split('.')[1], signature].join('.')
}
