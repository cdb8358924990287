// POST /token (RFC 6749 §3.2): the five steps of docs/architecture.md, in their order.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  type ClientCredentialsGrant,
  issueByClientCredentials,
} from '../../grants/client-credentials.ts'
import type { GrantContext } from '../../grants/grant-context.ts'
import { issueByPassword, type PasswordGrant } from '../../grants/password.ts'
import { issueByRefreshToken, type RefreshTokenGrant } from '../../grants/refresh-token.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import { parseTokenRequest, type TokenRequest } from '../../oauth/token-request.ts'
import { type IssuedTokens, toTokenResponse } from '../../tokens/token-response.ts'
import { callerSignal } from '../server/caller-signal.ts'
import { sourceOf } from '../server/request-source.ts'
import { checkBrowserCall, findNamedCookieClient } from './browser-client.ts'
import type { FormBody } from './form-body.ts'
import { authenticateSender, formOf, OAUTH_ENDPOINT, type SenderCheck } from './oauth-endpoint.ts'
import type { TokenCookies } from './token-cookies.ts'

export interface TokenRouteDependencies extends SenderCheck {
  readonly cookies: TokenCookies
  readonly grants: PasswordGrant & RefreshTokenGrant & ClientCredentialsGrant
}

export function registerToken(app: FastifyInstance, dependencies: TokenRouteDependencies): void {
  const { cookies, grants, recordEvent } = dependencies
  app.post('/token', OAUTH_ENDPOINT, async (request, reply) => {
    const form = formOf(request)
    const cookieToken = await findCookieToken(request, form, dependencies)
    const tokenRequest = parseTokenRequest(form, cookieToken)
    const client = await authenticateSender(request, form, dependencies)
    if (!client.grantTypes.includes(tokenRequest.grantType)) {
      throw new OAuthError('grant_type_not_allowed')
    }
    const usesCookies = client.tokenDelivery === 'cookie'
    if (usesCookies) {
      checkBrowserCall(request, client, cookies, form.get('refresh_token') !== undefined)
    }
    const context = {
      client,
      source: sourceOf(request, client),
      callerSignal: () => callerSignal(reply),
    }
    const issued = await issue(tokenRequest, context, grants).catch((error: unknown) => {
      const isRefusal = error instanceof OAuthError && error.code === 'invalid_grant'
      if (usesCookies && isRefusal) cookies.clearSent(request, reply, client)
      throw error
    })
    if (usesCookies && !cookies.set(request, reply, client, issued)) {
      recordEvent({ type: 'client.cookie_too_large', clientId: client.id, ...context.source })
    }
    return toTokenResponse(issued, !usesCookies)
  })
}

/** What stands in for a `refresh_token` that the form lacks: the cookie of the client it names. */
async function findCookieToken(
  request: FastifyRequest,
  form: FormBody,
  { clients, cookies }: TokenRouteDependencies,
): Promise<string | undefined> {
  if (form.get('refresh_token') !== undefined || request.headers.cookie === undefined) return
  const client = await findNamedCookieClient(request, form, clients)
  // An empty value is absent, as in a form. Two of them are refused in their turn.
  return client && cookies.readRefreshTokens(request, client).find((value) => value !== '')
}

async function issue(
  request: TokenRequest,
  context: GrantContext,
  grants: TokenRouteDependencies['grants'],
): Promise<IssuedTokens> {
  switch (request.grantType) {
    case 'password':
      return await issueByPassword(request, context, grants)
    case 'refresh_token':
      return await issueByRefreshToken(request, context, grants)
    case 'client_credentials':
      return issueByClientCredentials(request, context, grants)
  }
}
