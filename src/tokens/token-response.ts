// The successful answer of the token endpoint (RFC 6749 §5.1).

/** What a grant hands out; how it travels (body or cookie) is the endpoint's business. */
export interface IssuedTokens {
  readonly accessToken: string
  /** Seconds from now until the access token's `exp`. */
  readonly expiresInSeconds: number
  readonly scope: readonly string[]
  readonly refreshToken: IssuedRefreshToken | undefined
}

export interface IssuedRefreshToken {
  readonly token: string
  /** Seconds from now until the family expires unless it is used. */
  readonly expiresInSeconds: number
}

export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
}

/** `scope` is always told, so that nobody has to guess what was granted (RFC 6749 §5.1). */
export function toTokenResponse(issued: IssuedTokens, withRefreshToken: boolean): TokenResponse {
  return {
    access_token: issued.accessToken,
    token_type: 'Bearer',
    expires_in: issued.expiresInSeconds,
    scope: issued.scope.join(' '),
    ...(withRefreshToken && issued.refreshToken
      ? { refresh_token: issued.refreshToken.token }
      : {}),
  }
}
