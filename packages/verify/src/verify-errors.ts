// Why a request may not pass, as errors that say nothing of the token itself.

/** For the log and for tests; the answer to the caller names only the code of the standard. */
export type RefusalReason =
  | 'token_malformed'
  | 'token_type'
  | 'token_algorithm'
  | 'token_key_unknown'
  | 'token_signature'
  | 'token_claims'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_revoked'
  | 'binding_missing'
  | 'binding_scheme'
  | 'binding_unknown'
  | 'proof_missing'
  | 'proof_malformed'
  | 'proof_signature'
  | 'proof_target'
  | 'proof_age'
  | 'proof_token'
  | 'proof_key'
  | 'proof_replayed'
  | 'proof_nonce'
  | 'certificate_missing'
  | 'certificate_other'

export type RefusalCode = 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce'

export class RefusedTokenError extends Error {
  override readonly name = 'RefusedTokenError'
  /** RFC 6750 §3.1, RFC 9449 §7.1. */
  readonly code: RefusalCode
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, code: RefusalCode = 'invalid_token') {
    super(`the request is refused: ${reason}`)
    this.code = code
    this.reason = reason
  }
}

/** Nobody knows whether the token is good, so nobody says that it is not: 503, and again later. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  readonly retryAfterSeconds: number

  constructor(message: string, retryAfterSeconds: number, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.retryAfterSeconds = retryAfterSeconds
  }
}
