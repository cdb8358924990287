// A token as it was issued (RFC 6749 §5.1). Its strings are shown by nothing that prints or serializes it.

import { TokenRequestError } from './client-errors.ts'

/** Where a server does not say, a token is believed to live for so long. */
const UNSAID_LIFE_SECONDS = 60

export type TokenType = 'Bearer' | 'DPoP' | 'N_A'

export interface TokenParts {
  readonly accessToken: string
  readonly tokenType: TokenType
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly scope?: string | undefined
  readonly issuedTokenType?: string | undefined
  readonly refreshToken?: string | undefined
  readonly refreshTokenExpiresAtMs?: number | undefined
  readonly authorizationExpiresAtMs?: number | undefined
}

export class IssuedToken {
  readonly #parts: TokenParts
  readonly tokenType: TokenType
  /** Epoch milliseconds, counted from before the request. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly scope: string | undefined
  /** Of a token exchange (RFC 8693 §2.2.1). */
  readonly issuedTokenType: string | undefined
  /** When the refresh token ends if it is not used, and when in any case, where the server says so. */
  readonly refreshTokenExpiresAtMs: number | undefined
  readonly authorizationExpiresAtMs: number | undefined

  constructor(parts: TokenParts) {
    this.#parts = parts
    this.tokenType = parts.tokenType
    this.issuedAtMs = parts.issuedAtMs
    this.expiresAtMs = parts.expiresAtMs
    this.scope = parts.scope
    this.issuedTokenType = parts.issuedTokenType
    this.refreshTokenExpiresAtMs = parts.refreshTokenExpiresAtMs
    this.authorizationExpiresAtMs = parts.authorizationExpiresAtMs
  }

  get accessToken(): string {
    return this.#parts.accessToken
  }

  get refreshToken(): string | undefined {
    return this.#parts.refreshToken
  }
}

/** Throws TokenRequestError when that is no token, or one of another type than was asked for. */
export function readIssuedToken(
  json: Readonly<Record<string, unknown>> | undefined,
  { askedAtMs, isBound }: { askedAtMs: number; isBound: boolean },
): IssuedToken {
  const accessToken = textOf(json?.access_token)
  const life = secondsOf(json?.expires_in) ?? UNSAID_LIFE_SECONDS
  if (!json || accessToken === undefined) {
    throw new TokenRequestError('invalid_answer', 'the answer has no access token')
  }
  const after = (seconds: number | undefined) =>
    seconds === undefined ? undefined : askedAtMs + seconds * 1000
  return new IssuedToken({
    accessToken,
    tokenType: readType(json.token_type, isBound),
    issuedAtMs: askedAtMs,
    expiresAtMs: askedAtMs + life * 1000,
    scope: textOf(json.scope),
    issuedTokenType: textOf(json.issued_token_type),
    refreshToken: textOf(json.refresh_token),
    refreshTokenExpiresAtMs: after(secondsOf(json.refresh_token_expires_in)),
    authorizationExpiresAtMs: after(secondsOf(json.authorization_expires_in)),
  })
}

/** A bearer token in place of a bound one is a downgrade (RFC 9449 §5). */
function readType(value: unknown, isBound: boolean): TokenType {
  const types: readonly TokenType[] = isBound ? ['DPoP', 'N_A'] : ['Bearer', 'N_A']
  const type = types.find((one) => one.toLowerCase() === String(value).toLowerCase())
  if (type) return type
  throw new TokenRequestError('invalid_answer', `the token is none of type ${types[0]}`)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function secondsOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0
    ? seconds
    : undefined
}
