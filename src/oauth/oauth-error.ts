// Every refusal of the OAuth endpoints: one table from our internal reason to the words that the
// caller sees. The reason goes to the log, never to the caller. docs/errors.md explains each one.

import { ASSERTION_REASONS, type AssertionReason } from './assertion-reason.ts'
import { DPOP_ERRORS } from './dpop-errors.ts'
import type { OAuthErrorCode, PublicError } from './public-error.ts'

const invalidRequest = (description: string, status = 400): PublicError => ({
  code: 'invalid_request',
  status,
  description,
})

// RFC 6749 §5.2: one answer for each class, so that nobody learns which check failed.
const INVALID_CLIENT: PublicError = {
  code: 'invalid_client',
  status: 401,
  description: 'Client authentication failed.',
}
const GRANT_NOT_ALLOWED: PublicError = {
  code: 'unauthorized_client',
  status: 400,
  description: 'The client may not use this grant type.',
}
const CERTIFICATE_NEEDED = invalidRequest('The client must present a certificate that is in force.')
const REFRESH_TOKEN_REFUSED: PublicError = {
  code: 'invalid_grant',
  status: 400,
  description: 'The refresh token is invalid, expired or revoked.',
}
const LOGIN_REFUSED: PublicError = {
  code: 'invalid_grant',
  status: 400,
  description: 'The username or password is not right.',
}
const ASSERTION_REFUSED: PublicError = {
  code: 'invalid_grant',
  status: 400,
  description: 'The assertion is not accepted.',
}
const SECOND_STEP_REFUSED: PublicError = {
  code: 'invalid_grant',
  status: 400,
  description: 'The code is not right, or the login has to begin anew.',
}
const INVALID_SCOPE: PublicError = {
  code: 'invalid_scope',
  status: 400,
  description: 'The requested scope is invalid or exceeds what may be granted.',
}
const INVALID_TARGET: PublicError = {
  code: 'invalid_target',
  status: 400,
  description: 'The requested resource is invalid or may not be addressed.',
}
// RFC 8693 §2.2.2 names the code, for whatever is wrong with either token.
const EXCHANGE_REFUSED = invalidRequest('The subject_token or the actor_token is not accepted.')
const UNAVAILABLE: PublicError = {
  code: 'temporarily_unavailable',
  status: 503,
  description: 'The service is temporarily unavailable. Please try again shortly.',
}

/** The reasons of a refused assertion, for what it was brought for. */
function refuseAssertions<Purpose extends string>(purpose: Purpose, error: PublicError) {
  const rows = ASSERTION_REASONS.map((reason) => [`${purpose}_${reason}`, error])
  return Object.fromEntries(rows) as Record<`${Purpose}_${AssertionReason}`, PublicError>
}

export const OAUTH_ERRORS = {
  body_not_form: invalidRequest('The body must be application/x-www-form-urlencoded.'),
  body_too_large: invalidRequest('The body is too large.', 413),
  body_malformed: invalidRequest('The body is not valid form encoding in UTF-8.'),
  parameter_duplicate: invalidRequest('A parameter is given more than once.'),
  parameter_name_forbidden: invalidRequest('A parameter name is not allowed.'),
  parameter_in_query: invalidRequest('Parameters must not be sent in the query string.'),
  parameter_missing: invalidRequest('A required parameter is missing.'),
  parameter_not_one_of: invalidRequest('Exactly one of two parameters must be sent.'),
  parameter_too_many: invalidRequest('There are too many parameters.'),
  request_malformed: invalidRequest('The request is not valid.'),
  method_not_allowed: invalidRequest('The method is not allowed here.', 405),

  client_two_mechanisms: invalidRequest('The client may authenticate in one way only.'),
  client_id_mismatch: invalidRequest('The client_id does not match the credentials.'),
  client_absent: INVALID_CLIENT,
  client_header_malformed: INVALID_CLIENT,
  client_scheme_unsupported: INVALID_CLIENT,
  client_unknown: INVALID_CLIENT,
  client_secret_wrong: INVALID_CLIENT,
  client_secret_missing: INVALID_CLIENT,
  client_method_not_allowed: INVALID_CLIENT,
  client_public_not_allowed: INVALID_CLIENT,
  ...refuseAssertions('client_assertion', INVALID_CLIENT),
  client_certificate_missing: INVALID_CLIENT,
  client_certificate_unreadable: INVALID_CLIENT,
  client_certificate_out_of_date: INVALID_CLIENT,
  client_certificate_untrusted: INVALID_CLIENT,
  client_certificate_name_wrong: INVALID_CLIENT,
  client_certificate_key_unknown: INVALID_CLIENT,
  certificate_required: CERTIFICATE_NEEDED,
  certificate_unusable: CERTIFICATE_NEEDED,

  grant_type_unsupported: {
    code: 'unsupported_grant_type',
    status: 400,
    description: 'The grant type is not supported.',
  },
  grant_type_not_allowed: GRANT_NOT_ALLOWED,
  exchange_no_policy: GRANT_NOT_ALLOWED,

  scope_malformed: INVALID_SCOPE,
  scope_not_allowed: INVALID_SCOPE,
  scope_role_missing: INVALID_SCOPE,
  scope_wider_than_grant: INVALID_SCOPE,
  resource_malformed: INVALID_TARGET,
  resource_not_allowed: INVALID_TARGET,
  resource_wider_than_grant: INVALID_TARGET,

  login_user_unknown: LOGIN_REFUSED,
  login_password_wrong: LOGIN_REFUSED,
  login_password_too_long: LOGIN_REFUSED,
  login_hash_refused: LOGIN_REFUSED,
  login_pepper_missing: LOGIN_REFUSED,
  login_user_disabled: LOGIN_REFUSED,
  login_user_moved: LOGIN_REFUSED,

  login_factor_required: {
    code: 'mfa_required',
    status: 400,
    description: 'The login needs a one-time code as its second step.',
  },
  login_factor_missing: {
    code: 'mfa_required',
    status: 400,
    description: 'This application wants a second factor, which the account does not have.',
  },
  mfa_token_malformed: SECOND_STEP_REFUSED,
  mfa_token_of_other_client: SECOND_STEP_REFUSED,
  mfa_token_expired: SECOND_STEP_REFUSED,
  mfa_token_used: SECOND_STEP_REFUSED,
  mfa_token_exhausted: SECOND_STEP_REFUSED,
  mfa_user_moved: SECOND_STEP_REFUSED,
  mfa_code_wrong: SECOND_STEP_REFUSED,
  mfa_code_used: SECOND_STEP_REFUSED,
  mfa_recovery_code_wrong: SECOND_STEP_REFUSED,

  ...refuseAssertions('grant_assertion', ASSERTION_REFUSED),

  refresh_malformed: REFRESH_TOKEN_REFUSED,
  refresh_replayed: REFRESH_TOKEN_REFUSED,
  refresh_family_unknown: REFRESH_TOKEN_REFUSED,
  refresh_family_secret_wrong: REFRESH_TOKEN_REFUSED,
  refresh_family_of_other_client: REFRESH_TOKEN_REFUSED,
  refresh_family_key_mismatch: REFRESH_TOKEN_REFUSED,
  refresh_family_ended: REFRESH_TOKEN_REFUSED,
  refresh_family_absolute_expired: REFRESH_TOKEN_REFUSED,
  refresh_family_idle_expired: REFRESH_TOKEN_REFUSED,
  refresh_user_inactive: REFRESH_TOKEN_REFUSED,
  refresh_user_epoch_passed: REFRESH_TOKEN_REFUSED,
  refresh_client_sessions_ended: REFRESH_TOKEN_REFUSED,

  exchange_token_type_unsupported: invalidRequest('A token type is not supported.'),
  exchange_subject_inactive: EXCHANGE_REFUSED,
  exchange_subject_of_other_client: EXCHANGE_REFUSED,
  exchange_chain_too_deep: EXCHANGE_REFUSED,
  exchange_actor_inactive: EXCHANGE_REFUSED,
  exchange_actor_exchanged: EXCHANGE_REFUSED,
  exchange_actor_no_client: EXCHANGE_REFUSED,
  exchange_actor_of_other_client: EXCHANGE_REFUSED,
  exchange_actor_unproven: EXCHANGE_REFUSED,
  exchange_actor_not_named: EXCHANGE_REFUSED,
  exchange_actor_not_allowed: EXCHANGE_REFUSED,
  exchange_target_not_allowed: INVALID_TARGET,
  exchange_scope_wider: INVALID_SCOPE,

  origin_not_allowed: invalidRequest('The origin is not allowed.'),
  token_in_body: invalidRequest('The refresh token of this client travels in a cookie only.'),
  cookie_duplicate: invalidRequest('A cookie is given more than once.'),

  ...DPOP_ERRORS,

  dependency_unavailable: UNAVAILABLE,
  database_queue: UNAVAILABLE,
  overloaded: UNAVAILABLE,
  login_queue_full: UNAVAILABLE,
  login_queue_timeout: UNAVAILABLE,
  throttled: { ...UNAVAILABLE, status: 429, description: 'Too many attempts. Please try later.' },
  unexpected: {
    code: 'server_error',
    status: 500,
    description: 'The service failed to answer the request.',
  },
} as const satisfies Record<string, PublicError>

/** Our own name for what happened. It is logged, and never sent to the caller. */
export type OAuthReason = keyof typeof OAUTH_ERRORS

export interface OAuthErrorOptions {
  readonly cause?: unknown
  readonly retryAfterSeconds?: number
  readonly clientId?: string
  /** The parameter that is missing. Its name comes from the RFC, never from the request. */
  readonly parameter?: string
  /** A sentence that says what there is instead; never a text of the request. */
  readonly choice?: string
  /** Sent beside `error` and `error_description`. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** A refusal at an OAuth endpoint. `message` is the reason; the table has the public words. */
export class OAuthError extends Error {
  readonly reason: OAuthReason
  readonly code: OAuthErrorCode
  readonly status: number
  readonly description: string
  /** Sent as `Retry-After` where it is set. */
  readonly retryAfterSeconds: number | undefined
  /** The client that was refused, if it exists. Logged, never sent. */
  readonly clientId: string | undefined
  /** What the answer has besides. */
  readonly members: Readonly<Record<string, unknown>>

  constructor(reason: OAuthReason, options: OAuthErrorOptions = {}) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'OAuthError'
    const { code, status, description } = OAUTH_ERRORS[reason]
    this.reason = reason
    this.code = code
    this.status = status
    const { parameter, choice } = options
    const told = parameter ? description.replace(/\.$/, `: ${parameter}.`) : description
    this.description = choice ? `${told} ${choice}` : told
    this.retryAfterSeconds = options.retryAfterSeconds
    this.clientId = options.clientId
    this.members = options.members ?? {}
  }
}
