// How a request is refused: status and challenge (RFC 6750 §3, RFC 9449 §7.1).

import { RefusedTokenError, UnavailableError } from './verify-errors.ts'

export type Scheme = 'Bearer' | 'DPoP'

export interface Refusal {
  readonly status: 401 | 403 | 503
  /** What the body may say. */
  readonly error: string
  readonly headers: Readonly<Record<string, string>>
  /** For the log; the caller is not told. */
  readonly reason: string
}

/** Undefined where proofs are not taken. */
export type ProofAlgorithms = readonly string[] | undefined

/** Who brought no token is told of no error (RFC 6750 §3.1). */
export function refuseWithoutToken(algorithms: ProofAlgorithms): Refusal {
  const challenges = ['Bearer', ...dpopChallenge(algorithms, [])]
  const headers = { 'www-authenticate': challenges.join(', ') }
  return { status: 401, error: 'unauthorized', headers, reason: 'no_token' }
}

export function refuseForScope(scheme: Scheme, scope: string): Refusal {
  const challenge = `${scheme} error="insufficient_scope", scope="${scope}"`
  const headers = { 'www-authenticate': challenge }
  return { status: 403, error: 'insufficient_scope', headers, reason: 'scope' }
}

/** Rethrows what is neither the fault of the request nor an outage. */
export function refuseFor(error: unknown, scheme: Scheme, algorithms: ProofAlgorithms): Refusal {
  if (error instanceof UnavailableError) {
    const headers = { 'retry-after': String(error.retryAfterSeconds) }
    return { status: 503, error: 'temporarily_unavailable', headers, reason: error.message }
  }
  if (!(error instanceof RefusedTokenError)) throw error
  const { code, reason } = error
  const parameter = `error="${code}"`
  const challenges =
    scheme === 'DPoP' ? dpopChallenge(algorithms, [parameter]) : [`Bearer ${parameter}`]
  // Whoever may not know yet that the token needs a proof is told.
  if (reason === 'binding_scheme') challenges.push(...dpopChallenge(algorithms, []))
  const headers = { 'www-authenticate': challenges.join(', ') || `Bearer ${parameter}` }
  return { status: 401, error: code, headers, reason }
}

function dpopChallenge(algorithms: ProofAlgorithms, parameters: readonly string[]): string[] {
  if (!algorithms) return []
  return [`DPoP ${[...parameters, `algs="${algorithms.join(' ')}"`].join(', ')}`]
}
