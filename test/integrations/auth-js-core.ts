// Auth.js, by the parts that its test uses. Its own types import those of preact, which bring the
// types of a browser into every file of this project; so it is loaded without them.

export interface User {
  readonly id: string
  readonly name: string
}

/** What the encrypted session cookie holds. */
export interface SessionToken {
  readonly sub?: string
  readonly [claim: string]: unknown
}

interface Session {
  readonly user: object
  readonly expires: string
}

type Credentials = Readonly<Record<string, unknown>>

export interface AuthConfig {
  readonly basePath: string
  readonly secret: string
  readonly trustHost: boolean
  readonly session: { readonly strategy: 'jwt'; readonly maxAge: number }
  readonly providers: readonly unknown[]
  readonly callbacks: {
    /** With a user at a login alone. */
    jwt(input: { token: SessionToken; user?: User }): Promise<SessionToken | null>
    session(input: { session: Session; token: SessionToken }): Session
  }
  readonly events: { signOut(message: { token: SessionToken | null }): Promise<void> }
  readonly logger: { error(error: Error): void }
}

const load = (name: string): Promise<unknown> => import(name)

export const { Auth } = (await load('@auth/core')) as {
  Auth(request: Request, config: AuthConfig): Promise<Response>
}

export const { getToken } = (await load('@auth/core/jwt')) as {
  getToken(input: {
    req: Request
    secret: string
    secureCookie: boolean
  }): Promise<SessionToken | null>
}

export const { default: Credentials } = (await load('@auth/core/providers/credentials')) as {
  default: (config: {
    credentials: Readonly<Record<string, object>>
    authorize(credentials: Credentials, request: Request): Promise<User | null>
  }) => unknown
}
