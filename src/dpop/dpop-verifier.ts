// Whether a proof is good for a request (RFC 9449 §4.3): made for it, a moment ago, with the nonce that
// this service demands, and never used before.

import { hash } from 'node:crypto'
import type { DpopFault } from '../oauth/dpop-errors.ts'
import type { SingleUse } from '../replay/single-use.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { type KnownNonce, openDpopNonces } from './dpop-nonces.ts'
import { isUrlOf, type ProofTarget } from './proof-target.ts'
import { type DpopProof, readProof } from './read-proof.ts'

/** How old a proof may be, and how far its sender's clock ahead; both without a nonce. */
const AGE_MAX_MS = 60_000
const AHEAD_MAX_MS = 10_000

/** Where proofs need a nonce: nowhere, at the token endpoint, or with access tokens too. */
export type NonceDemand = 'off' | 'token' | 'all'

/** A proof that is right in itself; whether it was used before is asked by `take`. */
export interface CheckedProof {
  readonly thumbprint: string
  readonly jti: string
  /** Epoch milliseconds: from then on it would be refused in any case. */
  readonly usableUntilMs: number
  /** What the answer has to bring as `DPoP-Nonce`; undefined while the sender has the newest. */
  readonly nonce: string | undefined
}

export type ProofRefusal = { readonly fault: DpopFault; readonly nonce: string | undefined }

export interface DpopVerifier {
  /** The one `DPoP` header of a token request. Does no I/O and never throws. */
  checkForTokens(text: string, target: ProofTarget): CheckedProof | ProofRefusal
  /** The one that an access token is presented with. */
  checkWithToken(text: string, target: ProofTarget, token: string): CheckedProof | ProofRefusal
  /** False when it was used before; rejects with DependencyUnavailable. */
  take(proof: CheckedProof): Promise<boolean>
}

export interface DpopVerifierOptions {
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
  readonly singleUse: SingleUse
  readonly nonceDemand: NonceDemand
}

export function openDpopVerifier(options: DpopVerifierOptions): DpopVerifier {
  const { clock, singleUse, nonceDemand } = options
  const nonces = openDpopNonces(options.rootSecrets, clock)

  /** Undefined `ath` for a proof that comes without an access token. */
  function check(
    text: string,
    target: ProofTarget,
    ath: string | undefined,
    isNonceDemanded: boolean,
  ): CheckedProof | ProofRefusal {
    const proof = readProof(text)
    if (typeof proof === 'string') return { fault: proof, nonce: undefined }
    const misfit = findMisfit(proof, target, ath)
    if (misfit) return { fault: misfit, nonce: undefined }
    return isNonceDemanded ? judgeByNonce(proof) : judgeByTime(proof)
  }

  // RFC 9449 §4.3: the nonce tells when the proof was made, so that a clock that is wrong does no harm.
  function judgeByNonce(proof: DpopProof): CheckedProof | ProofRefusal {
    const known: KnownNonce | undefined = nonces.find(proof.nonce)
    if (!known) {
      const fault = proof.nonce === undefined ? 'dpop_nonce_missing' : 'dpop_nonce_wrong'
      return { fault, nonce: nonces.current() }
    }
    const { isNewest, usableUntilMs } = known
    return { ...idOf(proof), usableUntilMs, nonce: isNewest ? undefined : nonces.current() }
  }

  function judgeByTime(proof: DpopProof): CheckedProof | ProofRefusal {
    const madeAtMs = proof.iat * 1000
    const nowMs = clock()
    if (nowMs - madeAtMs > AGE_MAX_MS) return { fault: 'dpop_too_old', nonce: undefined }
    if (madeAtMs - nowMs > AHEAD_MAX_MS) return { fault: 'dpop_too_new', nonce: undefined }
    return { ...idOf(proof), usableUntilMs: madeAtMs + AGE_MAX_MS, nonce: undefined }
  }

  return {
    checkForTokens: (text, target) => check(text, target, undefined, nonceDemand !== 'off'),
    checkWithToken: (text, target, token) =>
      check(text, target, hash('sha256', token, 'base64url'), nonceDemand === 'all'),
    take: ({ thumbprint, jti, usableUntilMs }) =>
      singleUse.take(`dpop:${thumbprint}`, jti, usableUntilMs),
  }
}

function idOf({ thumbprint, jti }: DpopProof): Pick<CheckedProof, 'thumbprint' | 'jti'> {
  return { thumbprint, jti }
}

/** What in it is not for this request. */
function findMisfit(
  proof: DpopProof,
  { method, urls }: ProofTarget,
  ath: string | undefined,
): DpopFault | undefined {
  if (proof.htm !== method) return 'dpop_method_wrong'
  if (!urls.some((url) => isUrlOf(proof.htu, url))) return 'dpop_url_wrong'
  // RFC 9449 §7: the hash of the very token.
  return ath === undefined || proof.ath === ath ? undefined : 'dpop_token_hash_wrong'
}
