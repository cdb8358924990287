// How a client presents itself in a request: by which method, as whom, with which proof. Pure: says
// what was sent, never whether it is right.

import { OAuthError } from '../oauth/oauth-error.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { AuthenticationMethod, ClientForm, PresentedClient } from './authentication-method.ts'
import { AUTHENTICATION_METHODS } from './authentication-methods.ts'
import { ASSERTION, refuseHalfAssertion } from './client-assertion.ts'
import { none } from './none.ts'

export interface ClientCredentials extends PresentedClient {
  readonly method: AuthenticationMethod
}

const BY_SCHEME = new Map<string, AuthenticationMethod>()
/** Several may share one, and then each reads what is its own. */
const BY_PARAMETER = new Map<string, AuthenticationMethod[]>()
for (const method of AUTHENTICATION_METHODS) {
  const { scheme, parameter } = method
  if (scheme !== undefined) BY_SCHEME.set(scheme, method)
  if (parameter !== undefined) {
    BY_PARAMETER.set(parameter, [...(BY_PARAMETER.get(parameter) ?? []), method])
  }
}

/**
 * Throws OAuthError 400 `invalid_request` for two mechanisms or two client ids, and 401
 * `invalid_client` where there are no readable client credentials at all.
 */
export function readClientCredentials(request: ClientForm): ClientCredentials {
  refuseHalfAssertion(request.form)
  for (const method of findMethods(request)) {
    const presented = method.read(request)
    if (!presented) continue
    const { clientId, proof } = presented
    const named = request.form.get('client_id')
    if (named !== undefined && named !== clientId) throw new OAuthError('client_id_mismatch')
    // Basic with an empty password: this is how many libraries name a public client.
    return { method: proof === '' ? none : method, clientId, proof }
  }
  throw new OAuthError('client_scheme_unsupported')
}

/** RFC 6749 §2.3: one mechanism a request, whatever the two of them hold. */
function findMethods(request: ClientForm): readonly AuthenticationMethod[] {
  const { authorization } = request.headers
  const parameter = findParameter(request.form)
  if (authorization === undefined) {
    return parameter === undefined ? [none] : (BY_PARAMETER.get(parameter) ?? [])
  }
  // An assertion counts as a mechanism beside any scheme, known or not.
  if (parameter === ASSERTION) throw new OAuthError('client_two_mechanisms')
  const method = BY_SCHEME.get(schemeOf(authorization))
  if (!method) throw new OAuthError('client_scheme_unsupported')
  if (parameter !== undefined) throw new OAuthError('client_two_mechanisms')
  return [method]
}

/** The parameter by which a method in the form is recognised. */
function findParameter(form: Parameters): string | undefined {
  let found: string | undefined
  for (const name of BY_PARAMETER.keys()) {
    if (form.get(name) === undefined) continue
    if (found !== undefined) throw new OAuthError('client_two_mechanisms')
    found = name
  }
  return found
}

/** RFC 9110 §11.1: the scheme is case-insensitive. */
function schemeOf(authorization: string): string {
  const end = authorization.indexOf(' ')
  return (end < 0 ? authorization : authorization.slice(0, end)).toLowerCase()
}
