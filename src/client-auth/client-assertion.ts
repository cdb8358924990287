// An assertion as a client presents it (RFC 7521 §4.2): two parameters, of which one says what the other
// is. Methods that share them tell their own by what the assertion says.

import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'

export const ASSERTION = 'client_assertion'
const TYPE = 'client_assertion_type'
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A type without an assertion is half a mechanism; throws OAuthError `invalid_request`. */
export function refuseHalfAssertion(form: Parameters): void {
  if (form.get(TYPE) !== undefined) requireParameter(form, ASSERTION)
}

/**
 * The assertion, whatever it is. Throws OAuthError `invalid_request` where its type is missing, and
 * `invalid_client` for any but a JWT (RFC 7523 §2.2).
 */
export function readClientAssertion(form: Parameters): string {
  if (requireParameter(form, TYPE) !== JWT_BEARER) throw new OAuthError('client_scheme_unsupported')
  return requireParameter(form, ASSERTION)
}
