// POST /token (RFC 6749 §3.2): the five steps of docs/architecture.md, in their order.

import type { FastifyInstance } from 'fastify'
import type { ClientTable } from '../clients/client-table.ts'
import {
  type ClientCredentialsGrant,
  issueByClientCredentials,
} from '../grants/client-credentials.ts'
import type { GrantContext } from '../grants/grant-context.ts'
import { issueByPassword, type PasswordGrant } from '../grants/password.ts'
import { issueByRefreshToken, type RefreshTokenGrant } from '../grants/refresh-token.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import { parseTokenRequest, type TokenRequest } from '../oauth/token-request.ts'
import { type IssuedTokens, toTokenResponse } from '../tokens/token-response.ts'
import { callerSignal } from './caller-signal.ts'
import { authenticateSender, formOf, OAUTH_ENDPOINT } from './oauth-endpoint.ts'
import { sourceOf } from './request-source.ts'

export interface TokenRouteDependencies {
  readonly clients: Pick<ClientTable, 'find'>
  readonly grants: PasswordGrant & RefreshTokenGrant & ClientCredentialsGrant
}

export function registerToken(app: FastifyInstance, dependencies: TokenRouteDependencies): void {
  const { clients, grants } = dependencies
  app.post('/token', OAUTH_ENDPOINT, async (request, reply) => {
    const form = formOf(request)
    const tokenRequest = parseTokenRequest(form)
    const client = await authenticateSender(request, form, clients)
    if (!client.grantTypes.includes(tokenRequest.grantType)) {
      throw new OAuthError('grant_type_not_allowed')
    }
    const context = {
      client,
      source: sourceOf(request, client),
      callerSignal: () => callerSignal(reply),
    }
    const issued = await issue(tokenRequest, context, grants)
    return toTokenResponse(issued, true)
  })
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
