// Whether a request may pass, by the access token that it brings: verified offline, and bound to a key or a
// certificate where the token says so.

import { type AccessTokenClaims, hasScope } from './access-token-claims.ts'
import { checkCertificate } from './certificate-check.ts'
import type { Fetch } from './fetch-key-set.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import type { PresentedRequest } from './presented-request.ts'
import { checkProof, type ProofSettings } from './proof-check.ts'
import type { ProofNonces } from './proof-nonces.ts'
import { createProofReplays, type ProofReplays } from './proof-replays.ts'
import {
  type Refusal,
  refuseFor,
  refuseForScope,
  refuseWithoutToken,
  type Scheme,
} from './refusal.ts'
import { requireOptions } from './required-options.ts'
import { createTokenCheck } from './token-check.ts'
import { RefusedTokenError } from './verify-errors.ts'

const ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256']
const TOLERANCE_SECONDS = 5
const PROOF_MAX_AGE_SECONDS = 60

export interface VerifierOptions {
  /** The very string of the tokens. */
  readonly issuer: string
  /** This API's own name in the tokens; one of them is enough. */
  readonly audience: string | readonly string[]
  /** By default `/.well-known/jwks.json` below the issuer. */
  readonly jwksUri?: string
  /** For keys over plain http beyond this machine, where a mesh encrypts beneath us. */
  readonly allowInsecureHttp?: boolean
  /** Never `none`, never one with a shared key. */
  readonly algorithms?: readonly string[]
  /** What clocks may differ by; 5. */
  readonly toleranceSeconds?: number
  /** How long keys are still used after their end while the issuer cannot be reached; a day. */
  readonly staleKeysSeconds?: number
  /** How often an unknown key may cost a request to the issuer; 5. */
  readonly unknownKeyPauseSeconds?: number
  /** Of one request to the issuer; 3,000. */
  readonly timeoutMs?: number
  /** Verified tokens that are held; 1,000, and 0 for none. */
  readonly cachedTokens?: number
  /** How proofs are looked at; `false` refuses every token that is bound to a key. */
  readonly dpop?: DpopOptions | false
  /** Refuses tokens that are bound to nothing. */
  readonly requireBound?: boolean
  /** Asked about every good token, such as for what was revoked; an UnavailableError of it is a 503. */
  readonly isLive?: (claims: AccessTokenClaims, token: string) => boolean | Promise<boolean>
  readonly fetch?: Fetch
  readonly nowMs?: () => number
}

export interface DpopOptions {
  readonly algorithms?: readonly string[]
  /** How old a proof may be; 60. */
  readonly maxAgeSeconds?: number
  /** Shared by all processes that answer for one API; by default one in memory. */
  readonly replays?: ProofReplays
  /** Demands a nonce of ours in every proof. */
  readonly nonces?: ProofNonces
}

export type Authorized =
  | {
      readonly ok: true
      readonly claims: AccessTokenClaims
      /** For the answer. */
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly ok: false; readonly refusal: Refusal }

export interface Verifier {
  /**
   * Who asks, and whether he may. Where a scope is named (several with blanks), all of it is needed.
   * Rejects only with what is no matter of the request, such as an error of `isLive`.
   */
  authorize(request: PresentedRequest, needed?: { readonly scope?: string }): Promise<Authorized>
  /**
   * The claims of a token, without a look at what it is bound to. Throws RefusedTokenError and
   * UnavailableError.
   */
  verifyToken(token: string): Promise<AccessTokenClaims>
}

/** Throws TypeError without issuer and audience, and for keys over plain http; RangeError for algorithms. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, requireBound = false, isLive, nowMs = () => Date.now() } = options
  const { algorithms = ALGORITHMS, toleranceSeconds = TOLERANCE_SECONDS } = options
  const jwksUri = requireOptions(options)
  requireAsymmetric(algorithms)
  const keys = createIssuerKeys({
    jwksUri,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    timeoutMs: options.timeoutMs ?? 3_000,
    staleForMs: (options.staleKeysSeconds ?? 86_400) * 1000,
    unknownKeyPauseMs: (options.unknownKeyPauseSeconds ?? 5) * 1000,
    nowMs,
  })
  const { cachedTokens = 1_000 } = options
  const check = { issuer, audience, algorithms, toleranceSeconds, keys, cachedTokens, nowMs }
  const verifyToken = createTokenCheck(check)
  const proofs = openProofs(options, toleranceSeconds, nowMs)
  const proofAlgorithms = proofs?.algorithms

  async function requireGood({ scheme, token }: Credentials, request: PresentedRequest) {
    const claims = await verifyToken(token)
    await checkBinding(claims, { scheme, token }, request, { proofs, requireBound })
    if (isLive && !(await isLive(claims, token))) throw new RefusedTokenError('token_revoked')
    return claims
  }

  return {
    verifyToken,

    async authorize(request, { scope = '' } = {}) {
      const credentials = readCredentials(request.authorization, proofs !== undefined)
      if (!credentials) return { ok: false, refusal: refuseWithoutToken(proofAlgorithms) }
      const { scheme } = credentials
      const headers = nonceHeader(scheme, proofs)
      const refuse = (refusal: Refusal): Authorized => ({
        ok: false,
        refusal: { ...refusal, headers: { ...headers, ...refusal.headers } },
      })
      try {
        const claims = await requireGood(credentials, request)
        if (!hasScope(claims, scope)) return refuse(refuseForScope(scheme, scope))
        return { ok: true, claims, headers }
      } catch (error) {
        return refuse(refuseFor(error, scheme, proofAlgorithms))
      }
    },
  }
}

function requireAsymmetric(algorithms: readonly string[]): void {
  const isBad = (alg: string) => alg === 'none' || alg.startsWith('HS')
  if (algorithms.length === 0 || algorithms.some(isBad)) {
    throw new RangeError('the algorithms have to be such as have a public key')
  }
}

function openProofs(
  { dpop = {} }: VerifierOptions,
  toleranceSeconds: number,
  nowMs: () => number,
): ProofSettings | undefined {
  if (dpop === false) return undefined
  const { algorithms = ALGORITHMS, maxAgeSeconds = PROOF_MAX_AGE_SECONDS, nonces } = dpop
  requireAsymmetric(algorithms)
  const replays = dpop.replays ?? createProofReplays(nowMs)
  return { algorithms, maxAgeSeconds, toleranceSeconds, replays, nonces, nowMs }
}

interface Credentials {
  readonly scheme: Scheme
  readonly token: string
}

/** From the header alone: a token in a query is in logs, too (RFC 9700 §2.4). */
function readCredentials(header = '', withProofs: boolean): Credentials | undefined {
  const end = header.indexOf(' ')
  const name = (end < 0 ? header : header.slice(0, end)).toLowerCase()
  const token = end < 0 ? '' : header.slice(end + 1).trim()
  if (name === 'bearer') return { scheme: 'Bearer', token }
  return name === 'dpop' && withProofs ? { scheme: 'DPoP', token } : undefined
}

function nonceHeader(
  scheme: Scheme,
  proofs: ProofSettings | undefined,
): Readonly<Record<string, string>> {
  if (scheme !== 'DPoP' || !proofs?.nonces) return {}
  return { 'dpop-nonce': proofs.nonces.current() }
}

/** A bound token without what it is bound to is nobody's; a proof for an unbound one binds nothing. */
async function checkBinding(
  { cnf }: AccessTokenClaims,
  { scheme, token }: Credentials,
  { method, url, dpop, certificate }: PresentedRequest,
  { proofs, requireBound }: { proofs: ProofSettings | undefined; requireBound: boolean },
): Promise<void> {
  if (requireBound && !cnf) throw new RefusedTokenError('binding_missing')
  // RFC 9449 §7.1, §7.2.
  if ((scheme === 'DPoP') !== (cnf?.jkt !== undefined)) {
    throw new RefusedTokenError('binding_scheme')
  }
  const certificateThumbprint = cnf?.['x5t#S256']
  if (certificateThumbprint !== undefined) checkCertificate(certificate, certificateThumbprint)
  if (cnf?.jkt === undefined) return
  if (dpop === undefined) throw new RefusedTokenError('proof_missing', 'invalid_dpop_proof')
  if (!proofs) throw new RefusedTokenError('binding_scheme')
  await checkProof(dpop, { method, url, token, thumbprint: cnf.jkt }, proofs)
}
