// Every refusal of the JSON endpoints, as RFC 9457 problem details with our `code` beside them.

import type { FieldError } from '../../runtime/field-error.ts'

export const API_ERRORS = {
  malformed_request: { status: 400, title: 'The request is malformed.' },
  invalid_cursor: { status: 400, title: 'The cursor is not valid.' },
  invalid_query: { status: 400, title: 'A query parameter is not valid.' },
  invalid_confirmation_token: {
    status: 400,
    title: 'The token is not valid, not valid any more, or used.',
  },
  invalid_token: { status: 401, title: 'The access token is missing or not valid.' },
  invalid_dpop_proof: { status: 401, title: 'The DPoP proof is missing or not valid.' },
  use_dpop_nonce: { status: 401, title: 'The DPoP proof must carry the nonce of this answer.' },
  insufficient_scope: { status: 403, title: 'The access token lacks the scope for this.' },
  user_token_required: { status: 403, title: 'This needs the access token of a user.' },
  registration_closed: { status: 403, title: 'Registration is closed.' },
  invalid_current_password: { status: 403, title: 'The current password is not right.' },
  invalid_one_time_code: { status: 403, title: 'The one-time code is not right.' },
  recent_login_required: { status: 403, title: 'This needs a login of a moment ago.' },
  not_found: { status: 404, title: 'There is nothing here.' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here.' },
  conflict: { status: 409, title: 'This conflicts with what is there already.' },
  precondition_failed: { status: 412, title: 'What was read is not the present state any more.' },
  body_too_large: { status: 413, title: 'The body is too large.' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported.' },
  validation_failed: { status: 422, title: 'Some values are not valid.' },
  internal_error: { status: 500, title: 'The service failed to answer the request.' },
  temporarily_unavailable: { status: 503, title: 'The service is temporarily unavailable.' },
} as const satisfies Record<string, { status: number; title: string }>

export type ApiErrorCode = keyof typeof API_ERRORS

/** A refusal at a JSON endpoint; everything in it may be shown to the caller. */
export class ApiError extends Error {
  readonly code: ApiErrorCode
  readonly status: number
  readonly detail: string | undefined
  readonly errors: readonly FieldError[] | undefined
  readonly retryAfterSeconds: number | undefined
  /** What the log says in place of the code; never sent. */
  readonly reason: string | undefined

  constructor(
    code: ApiErrorCode,
    options: {
      detail?: string
      errors?: readonly FieldError[]
      retryAfterSeconds?: number
      /**
       * Instead of the code's own status: `temporarily_unavailable` is 503, but 429 for a throttled
       * call.
       */
      status?: number
      reason?: string
      cause?: unknown
    } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ApiError'
    this.code = code
    this.status = options.status ?? API_ERRORS[code].status
    this.detail = options.detail
    this.errors = options.errors
    this.retryAfterSeconds = options.retryAfterSeconds
    this.reason = options.reason
  }
}
