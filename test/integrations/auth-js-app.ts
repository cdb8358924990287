// An app of Auth.js that logs people in at Lineage and keeps their tokens in its own encrypted
// session cookie. The parts of it that stand in docs/integrations.md: who calls whom, and when.

import { decodeJwt } from 'jose'
import { Auth, type AuthConfig, Credentials, type SessionToken, type User } from './auth-js-core.ts'

/** What encrypts the session cookie. */
export const AUTH_SECRET = 'what-encrypts-the-session-cookie-of-this-app'
/** No longer than a session of Lineage that nobody refreshes. */
const SESSION_SECONDS = 1_209_600
/** The access token is renewed so long before it expires. */
const EARLY_SECONDS = 60

export interface AuthJsApp {
  readonly config: AuthConfig
  handle(request: Request): Promise<Response>
  /** The names of the errors that it has logged. */
  readonly errors: readonly string[]
}

export interface AuthJsSettings {
  /** Of Lineage. */
  readonly issuer: string
  /** Confidential, with `forwardsClientIp`. */
  readonly client: { readonly id: string; readonly secret: string }
}

interface LineageUser extends User {
  readonly tokens: Tokens
}

/** Beside what Auth.js has in its session cookie. */
interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_at: number
}

export function openAuthJsApp({ issuer, client }: AuthJsSettings): AuthJsApp {
  const errors: string[] = []
  const post = openPost(issuer, client)
  const credentials = Credentials({
    credentials: { username: {}, password: { type: 'password' } },
    authorize: ({ username, password }, request) =>
      logIn(post, { username: String(username), password: String(password) }, request),
  })
  const config: AuthConfig = {
    basePath: '/auth',
    secret: AUTH_SECRET,
    trustHost: true,
    session: { strategy: 'jwt', maxAge: SESSION_SECONDS },
    providers: [credentials],
    callbacks: {
      jwt: async ({ token, user }) =>
        user ? { ...token, ...(user as LineageUser).tokens } : await renew(post, token),
      // What scripts of the page see; the tokens stay on the server.
      session: ({ session, token }) => ({ ...session, user: { ...session.user, id: token.sub } }),
    },
    events: {
      async signOut({ token }) {
        const answer = await post('/revoke', { token: String(token?.refresh_token) })
        if (!answer.ok) throw new Error(`not revoked: ${answer.status}`)
      },
    },
    logger: { error: (error) => void errors.push(error.name) },
  }
  return { config, handle: (request) => Auth(request, config), errors }
}

type Post = (
  path: string,
  form: Record<string, string>,
  headers?: Record<string, string>,
) => Promise<Response>

function openPost(issuer: string, { id, secret }: AuthJsSettings['client']): Post {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  return (path, form, headers = {}) =>
    fetch(`${issuer}${path}`, {
      method: 'POST',
      headers: { authorization, ...headers },
      body: new URLSearchParams(form),
    })
}

/** Null is a wrong password to Auth.js; what is thrown is a fault. */
async function logIn(
  post: Post,
  { username, password }: { username: string; password: string },
  request: Request,
): Promise<User | null> {
  // From the proxy in front of the app; without it all logins would come from the app's address.
  const ip = request.headers.get('x-forwarded-for') ?? ''
  const form = { grant_type: 'password', username, password }
  const answer = await post('/token', form, ip ? { 'lineage-client-ip': ip } : {})
  if (await isRefusal(answer)) return null
  if (!answer.ok) throw new Error(`no login: ${answer.status}`)
  const tokens = await readTokens(answer)
  const user: LineageUser = { id: decodeJwt(tokens.access_token).sub ?? '', name: username, tokens }
  return user
}

/** Null ends the session; so would an error, so a Lineage that cannot be asked must not be one. */
async function renew(post: Post, token: SessionToken): Promise<SessionToken | null> {
  if (Date.now() < (Number(token.expires_at) - EARLY_SECONDS) * 1000) return token
  const form = { grant_type: 'refresh_token', refresh_token: String(token.refresh_token) }
  const answer = await post('/token', form).catch(() => undefined)
  if (answer?.ok) return { ...token, ...(await readTokens(answer)) }
  return answer && (await isRefusal(answer)) ? null : token
}

async function isRefusal(answer: Response): Promise<boolean> {
  if (answer.status !== 400) return false
  const { error } = (await answer.clone().json()) as { error?: string }
  return error === 'invalid_grant'
}

async function readTokens(answer: Response): Promise<Tokens> {
  const body = (await answer.json()) as Omit<Tokens, 'expires_at'> & { expires_in: number }
  return {
    access_token: body.access_token,
    refresh_token: body.refresh_token,
    expires_at: Math.floor(Date.now() / 1000) + body.expires_in,
  }
}
