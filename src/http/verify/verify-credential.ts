// Which access token a request at /verify brings: that of its Authorization header or, where the
// gateway says so, that of the access cookie (DESIGN §10), which a browser sends whoever made it.

import type { FastifyRequest } from 'fastify'
import type { Client } from '../../clients/client.ts'
import type { AccessCookie, TokenCookies } from '../oauth/token-cookies.ts'
import { bearerTokenOf, hasBearerCredentials } from '../server/bearer.ts'
import { isRepeated } from '../server/repeated-header.ts'

export type Credential =
  | { readonly token: string; readonly cookie?: AccessCookie }
  | { readonly fault: 'token_absent' | 'token_malformed' | 'cookie_ambiguous' }

/** RFC 9110 §9.2.1, without TRACE. Any other name may change something. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * A request with an Authorization header is judged by that alone: it says on purpose what a cookie
 * says by itself.
 */
export function readCredential(
  request: FastifyRequest,
  acceptsCookie: boolean,
  cookies: Pick<TokenCookies, 'readAccessTokens'>,
): Credential {
  const { authorization = '' } = request.headers
  if (authorization !== '' || isRepeated(request, 'authorization')) {
    const token = bearerTokenOf(request)
    if (token !== undefined) return { token }
    return { fault: hasBearerCredentials(request) ? 'token_malformed' : 'token_absent' }
  }
  const found = acceptsCookie ? cookies.readAccessTokens(request) : []
  const [cookie] = found
  if (!cookie) return { fault: 'token_absent' }
  // Nothing tells which of them the page that called means.
  return found.length > 1 ? { fault: 'cookie_ambiguous' } : { token: cookie.token, cookie }
}

/** Whether the client is given its tokens in such a cookie, and the cookie is named after it. */
export function isCookieOf({ clientId }: AccessCookie, client: Client): boolean {
  return client.id === clientId && client.tokenDelivery === 'cookie' && client.accessTokenCookie
}

/** Whether a page of the client's, and not another, can have made the browser send this. */
export function comesFromPageOf(request: FastifyRequest, client: Client): boolean {
  return isSafe(request) || client.allowedOrigins.includes(request.headers.origin ?? '')
}

function isSafe({ method, headers }: FastifyRequest): boolean {
  // Where the gateway keeps the method, the other header is the caller's own: the stricter counts.
  const original = headers['x-forwarded-method'] ?? method
  // A GET in form only: whatever is sent over a WebSocket comes after it, and nobody asks again.
  const opensSocket = /websocket/i.test(headers.upgrade ?? '')
  return SAFE_METHODS.has(method) && SAFE_METHODS.has(String(original)) && !opensSocket
}
