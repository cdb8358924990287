// An assertion as a client presents it (RFC 7521 §4.2): two parameters, of which one says what the other
// is. Methods that share them tell their own by what the assertion says.

import { type ForeignJwt, readForeignJwt } from '../assertions/foreign-jwt.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'

export const ASSERTION = 'client_assertion'
const TYPE = 'client_assertion_type'
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A type without an assertion is half a mechanism; throws OAuthError `invalid_request`. */
export function refuseHalfAssertion(form: Parameters): void {
  if (form.get(TYPE) !== undefined) requireParameter(form, ASSERTION)
}

export interface ClientAssertion {
  readonly text: string
  /** Nothing in it is believed yet. */
  readonly jwt: ForeignJwt
}

/** Each is looked at to see who is meant, by every method that it could be for, and then to be checked. */
const readBefore = new WeakMap<Parameters, ClientAssertion>()

/**
 * The assertion of the form, read once. Throws OAuthError `invalid_request` where its type is missing, and
 * `invalid_client` for any but a JWT (RFC 7523 §2.2) that can be read: whose it is cannot be told.
 */
export function readClientAssertion(form: Parameters): ClientAssertion {
  const known = readBefore.get(form)
  if (known) return known
  if (requireParameter(form, TYPE) !== JWT_BEARER) throw new OAuthError('client_scheme_unsupported')
  const text = requireParameter(form, ASSERTION)
  const { jwt, problem } = readForeignJwt(text)
  if (!jwt) throw new OAuthError(`client_assertion_${problem}`)
  const assertion = { text, jwt }
  readBefore.set(form, assertion)
  return assertion
}
