// What a call must look like that comes from a browser whose tokens travel in cookies
// (docs/semantics.md §9). A browser sends cookies along whichever page caused the call; the
// `Origin` header tells which.

import { readClientCredentials } from '../../client-auth/read-client-credentials.ts'
import type { Client } from '../../clients/client.ts'
import type { ClientTable } from '../../clients/client-table.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import type { Parameters } from '../../oauth/parameters.ts'
import type { EndpointRequest } from '../server/endpoint.ts'
import type { TokenCookies } from './token-cookies.ts'

/**
 * The client that a request names, when its tokens travel in cookies. The client has
 * not authenticated yet: this only decides whether a cookie may stand in for a missing parameter.
 */
export async function findNamedCookieClient(
  request: EndpointRequest,
  form: Parameters,
  clients: Pick<ClientTable, 'find'>,
): Promise<Client | undefined> {
  const id = namedClientId(request, form)
  const client = id === undefined ? undefined : await clients.find(id)
  return client?.tokenDelivery === 'cookie' ? client : undefined
}

/**
 * Refuses a call of a cookie client that another site may have caused, that brings its refresh
 * token in the body, or that carries two of them. Throws OAuthError `invalid_request`; touches
 * nothing.
 */
export function checkBrowserCall(
  request: EndpointRequest,
  client: Client,
  cookies: Pick<TokenCookies, 'readRefreshTokens'>,
  hasTokenInBody: boolean,
): void {
  // Browsers put an Origin on every POST; `null` and several of them are no origin of a client.
  if (!client.allowedOrigins.includes(request.headers.origin ?? '')) {
    throw new OAuthError('origin_not_allowed')
  }
  if (hasTokenInBody) throw new OAuthError('token_in_body')
  if (cookies.readRefreshTokens(request, client).length > 1) {
    throw new OAuthError('cookie_duplicate')
  }
}

function namedClientId(request: EndpointRequest, form: Parameters): string | undefined {
  try {
    return readClientCredentials({ headers: request.headers, form }).clientId
  } catch (error) {
    // Client authentication, which comes later, reports what is wrong with the credentials.
    if (error instanceof OAuthError) return undefined
    throw error
  }
}
