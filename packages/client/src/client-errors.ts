// What can go wrong with a request for a token. No error holds a secret, a token or an assertion, so each
// may be logged as it is.

/** How long a server asks us to stay away, where it said so. */
interface Pausing {
  readonly retryAfterSeconds: number | undefined
}

/** The server's own refusal (RFC 6749 §5.2). */
export class OAuthResponseError extends Error implements Pausing {
  override readonly name = 'OAuthResponseError'
  /** Such as `invalid_client`. */
  readonly error: string
  readonly error_description: string | undefined
  readonly status: number
  readonly retryAfterSeconds: number | undefined

  constructor(
    refusal: { error: string; error_description: string | undefined; status: number },
    retryAfterSeconds?: number,
  ) {
    const { error, error_description: description, status } = refusal
    super(`the token endpoint answered ${status} ${error}${description ? `: ${description}` : ''}`)
    this.error = error
    this.error_description = description
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export type RequestFailure =
  /** No connection, or one that broke. */
  | 'network'
  /** No whole answer in time. */
  | 'timeout'
  /** 5xx or 429 that says nothing of OAuth, as proxies send it. */
  | 'unavailable'
  /** Not what the standard has there, too large, or a redirect. */
  | 'invalid_answer'
  /** The metadata is of another issuer, or lacks what is needed. */
  | 'metadata'
  /** A secret or token would go over plain http. */
  | 'insecure_url'
  /** What the caller gives (a key, a file, an assertion) cannot be used. */
  | 'credentials'

/** There is no answer that could be believed. */
export class TokenRequestError extends Error implements Pausing {
  override readonly name = 'TokenRequestError'
  readonly code: RequestFailure
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: RequestFailure,
    message: string,
    more: { cause?: unknown; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause })
    this.code = code
    this.retryAfterSeconds = more.retryAfterSeconds
  }
}

/** Whether the same request may succeed a moment later; a refusal is never asked for twice. */
export function isPassing(error: unknown): boolean {
  if (error instanceof OAuthResponseError) return error.status === 503 || error.status === 429
  if (!(error instanceof TokenRequestError)) return false
  return ['network', 'timeout', 'unavailable'].includes(error.code)
}

/** What a server said of when to come back. */
export function retryAfterOf(error: unknown): number | undefined {
  const isOurs = error instanceof OAuthResponseError || error instanceof TokenRequestError
  return isOurs ? error.retryAfterSeconds : undefined
}
