// What a caller is told of a refusal at an OAuth endpoint.

/**
 * RFC 6749 §5.2, RFC 8707 §2, RFC 7009 §2.2.1, RFC 9449 §5 and §8; `mfa_required`,
 * `temporarily_unavailable` and `server_error` are ours.
 */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'mfa_required'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'temporarily_unavailable'
  | 'server_error'

export interface PublicError {
  readonly code: OAuthErrorCode
  readonly status: number
  readonly description: string
}
