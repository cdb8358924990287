// Whether whoever presents an access token may: the token is good right now, and if it is bound, its sender
// has shown to hold what it is bound to (RFC 9449 §7). A bound token without its proof is worth nothing.

import type { IncomingMessage } from 'node:http'
import type { CheckedProof, DpopVerifier } from '../../dpop/dpop-verifier.ts'
import type { ProofTarget } from '../../dpop/proof-target.ts'
import type { Confirmation } from '../../oauth/confirmation.ts'
import { DPOP_ERRORS, type DpopFault } from '../../oauth/dpop-errors.ts'
import type { CheckedToken, TokenChecker } from '../../tokens/check-access-token.ts'
import type { ApiErrorCode } from './api-error.ts'
import { dpopHeaderOf, setNonce } from './dpop-header.ts'
import type { EndpointReply, EndpointRequest } from './endpoint.ts'
import { challenge, type PresentedToken } from './presented-token.ts'

/** Logged as the reason, beside those of the proof itself; a caller sees no more than the code. */
export const HOLDER_FAULTS = {
  token_inactive: 'invalid_token',
  /** It is bound, and comes without a proof. */
  token_unproven: 'invalid_token',
  /** It comes with a proof, and is bound to no key. */
  token_unbound: 'invalid_token',
  token_of_other_key: 'invalid_token',
  /** It is bound to a certificate, and comes without one that can be read (RFC 8705 §3). */
  certificate_absent: 'invalid_token',
  certificate_of_other: 'invalid_token',
  /** Nobody who is trusted says what the proof would have to be for. */
  proof_target_untold: 'invalid_dpop_proof',
} as const satisfies Record<string, ApiErrorCode>

export type HolderFault = keyof typeof HOLDER_FAULTS | DpopFault

export interface HolderCheck {
  readonly checker: TokenChecker
  readonly dpop: DpopVerifier
}

/** Proofs that were taken: a check that is made once more of one request is no second use. */
const taken = new WeakMap<IncomingMessage, CheckedProof>()

/**
 * The token, checked, or why its sender may not use it. `findTarget` says what a proof has to be for, and is
 * only asked for one. Sets `DPoP-Nonce` where there is a nonce to tell. Rejects with DependencyUnavailable.
 */
export async function checkHolder(
  request: EndpointRequest,
  reply: EndpointReply,
  { scheme, token }: PresentedToken,
  findTarget: () => ProofTarget | undefined,
  { checker, dpop }: HolderCheck,
): Promise<{ readonly checked: CheckedToken } | { readonly fault: HolderFault }> {
  const proof =
    scheme === 'DPoP'
      ? (taken.get(request.raw) ?? checkProof(request, token, findTarget(), dpop))
      : undefined
  if (proof) setNonce(reply, proof)
  if (proof && 'fault' in proof) return { fault: proof.fault }
  const checked = await checker.check(token)
  if (!checked) return { fault: 'token_inactive' }
  const { cnf } = checked.claims
  const fault = findBindingFault(cnf, proof) ?? findCertificateFault(cnf, request)
  if (fault) return { fault }
  // Last, so that nobody fills the store of used proofs who has no token.
  if (proof && !taken.has(request.raw)) {
    if (!(await dpop.take(proof))) return { fault: 'dpop_replayed' }
    taken.set(request.raw, proof)
  }
  return { checked }
}

/** What the caller is told of a fault. */
export function codeOf(fault: HolderFault): ApiErrorCode {
  return isDpopFault(fault) ? DPOP_ERRORS[fault].code : HOLDER_FAULTS[fault]
}

/** The `WWW-Authenticate` for it; a bound token is asked for by the scheme that it needs. */
export function challengeOf(fault: HolderFault, request: EndpointRequest): string {
  const scheme = fault === 'token_unproven' ? 'DPoP' : undefined
  return challenge(request, codeOf(fault), '', scheme)
}

function checkProof(
  request: EndpointRequest,
  token: string,
  target: ProofTarget | undefined,
  dpop: DpopVerifier,
): CheckedProof | { readonly fault: HolderFault; readonly nonce: string | undefined } {
  const header = dpopHeaderOf(request)
  if (header === undefined) return { fault: 'dpop_missing', nonce: undefined }
  if (header === 'repeated') return { fault: 'dpop_repeated', nonce: undefined }
  if (!target) return { fault: 'proof_target_untold', nonce: undefined }
  return dpop.checkWithToken(header.text, target, token)
}

function findBindingFault(
  cnf: Confirmation | undefined,
  proof: CheckedProof | undefined,
): HolderFault | undefined {
  if (proof) {
    if (cnf?.jkt === undefined) return 'token_unbound'
    if (cnf.jkt !== proof.thumbprint) return 'token_of_other_key'
  } else if (cnf?.jkt !== undefined) return 'token_unproven'
  return undefined
}

/** The thumbprint alone counts: whether the certificate is still in force was for the token to say. */
function findCertificateFault(
  cnf: Confirmation | undefined,
  { raw, server }: EndpointRequest,
): HolderFault | undefined {
  const wanted = cnf?.['x5t#S256']
  if (wanted === undefined) return undefined
  const presented = server.presentedCertificate(raw)
  if (presented === undefined || presented === 'unreadable') return 'certificate_absent'
  return presented.certificate.thumbprint === wanted ? undefined : 'certificate_of_other'
}

function isDpopFault(fault: HolderFault): fault is DpopFault {
  return Object.hasOwn(DPOP_ERRORS, fault)
}
