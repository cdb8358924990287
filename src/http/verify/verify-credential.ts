// Which access token a request at /verify brings: that of the Authorization header or, where the
// gateway allows it, that of the access cookie (docs/semantics.md §10). A browser sends a cookie
// along whichever page caused the request, so its origin is checked too.

import type { Client } from '../../clients/client.ts'
import type { AccessCookie, TokenCookies } from '../oauth/token-cookies.ts'
import type { EndpointRequest } from '../server/endpoint.ts'
import {
  hasTokenCredentials,
  type PresentedToken,
  presentedTokenOf,
} from '../server/presented-token.ts'
import { isRepeated } from '../server/repeated-header.ts'

export type Credential =
  | { readonly presented: PresentedToken; readonly cookie?: AccessCookie }
  | { readonly fault: 'token_absent' | 'token_malformed' | 'cookie_ambiguous' }

/** RFC 9110 §9.2.1, without TRACE. Any other name may change something. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * With an Authorization header the cookie is not looked at: a caller sends the header on purpose, a
 * browser sends a cookie by itself.
 */
export function readCredential(
  request: EndpointRequest,
  acceptsCookie: boolean,
  cookies: Pick<TokenCookies, 'readAccessTokens'>,
): Credential {
  const { authorization = '' } = request.headers
  if (authorization !== '' || isRepeated(request, 'authorization')) {
    const presented = presentedTokenOf(request)
    if (presented) return { presented }
    return { fault: hasTokenCredentials(request) ? 'token_malformed' : 'token_absent' }
  }
  const found = acceptsCookie ? cookies.readAccessTokens(request) : []
  const [cookie] = found
  if (!cookie) return { fault: 'token_absent' }
  // With several, nothing tells for which of the clients the page meant the request.
  if (found.length > 1) return { fault: 'cookie_ambiguous' }
  // A cookie has no proof: a bound token is of no use in one.
  return { presented: { scheme: 'Bearer', token: cookie.token }, cookie }
}

/** Whether the cookie is named after this client, which gets its tokens in such cookies. */
export function isCookieOf({ clientId }: AccessCookie, client: Client): boolean {
  return client.id === clientId && client.tokenDelivery === 'cookie' && client.accessTokenCookie
}

/** Whether no page of another origin can have made the browser do harm by this request. */
export function comesFromPageOf(request: EndpointRequest, client: Client): boolean {
  return isSafe(request) || client.allowedOrigins.includes(request.headers.origin ?? '')
}

function isSafe({ method, headers }: EndpointRequest): boolean {
  // Both must be safe: if the gateway keeps the method, X-Forwarded-Method may come from the
  // caller.
  const original = headers['x-forwarded-method'] ?? method
  // A WebSocket begins with a GET, but what is sent over it later is not checked again.
  const opensSocket = /websocket/i.test(headers.upgrade ?? '')
  return SAFE_METHODS.has(method) && SAFE_METHODS.has(String(original)) && !opensSocket
}
