// A request to the token endpoint while it is made: what a way to authenticate adds to, and what it knows.

export interface TokenForm {
  readonly headers: Headers
  readonly body: URLSearchParams
  /** What must stand in no error, should the server repeat it. */
  readonly secrets: string[]
}

export interface AuthContext {
  readonly clientId: string
  /** Undefined where only the endpoint is known. */
  readonly issuer: string | undefined
  readonly tokenEndpoint: string
  readonly nowMs: number
}

/** RFC 7523 §2.2. */
export const JWT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
