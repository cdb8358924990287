// The token request, typed by its grant (RFC 6749 §4.3.2, §4.4.2, §6). Required parameters are
// checked here, before anybody is authenticated; what they mean is the grants' business.

import { OAuthError, type RequiredParameter } from './oauth-error.ts'

interface CommonParameters {
  /** As sent; undefined means the default of the grant. */
  readonly scope: string | undefined
  readonly resources: readonly string[]
}

export interface PasswordRequest extends CommonParameters {
  readonly grantType: 'password'
  readonly username: string
  readonly password: string
}

export interface RefreshTokenRequest extends CommonParameters {
  readonly grantType: 'refresh_token'
  readonly refreshToken: string
}

export interface ClientCredentialsRequest extends CommonParameters {
  readonly grantType: 'client_credentials'
}

export type TokenRequest = PasswordRequest | RefreshTokenRequest | ClientCredentialsRequest

/** The parameters of a form; the http side hands one in. */
export interface Parameters {
  get(name: string): string | undefined
  readonly resources: readonly string[]
}

/**
 * Throws `invalid_request` or `unsupported_grant_type` (RFC 6749 §5.2). `cookieToken` is the
 * refresh token of a client that keeps it in a cookie; it stands in for the parameter.
 */
export function parseTokenRequest(form: Parameters, cookieToken?: string): TokenRequest {
  const common = { scope: form.get('scope'), resources: form.resources }
  const grantType = required('grant_type', form.get('grant_type'))
  switch (grantType) {
    case 'password': {
      const username = required('username', form.get('username'))
      const password = required('password', form.get('password'))
      return { grantType, username, password, ...common }
    }
    case 'refresh_token': {
      const refreshToken = required('refresh_token', form.get('refresh_token') ?? cookieToken)
      return { grantType, refreshToken, ...common }
    }
    case 'client_credentials':
      return { grantType, ...common }
    default:
      throw new OAuthError('grant_type_unsupported')
  }
}

function required(parameter: RequiredParameter, value: string | undefined): string {
  if (value === undefined) throw new OAuthError('parameter_missing', { parameter })
  return value
}
