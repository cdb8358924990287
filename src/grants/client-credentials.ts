// grant_type=client_credentials: a token for the client itself (RFC 6749 §4.4). No database, no
// store, no refresh token (§4.4.3).

import { OAuthError } from '../oauth/oauth-error.ts'
import type { ClientCredentialsRequest } from '../oauth/token-request.ts'
import { type Clock, toSeconds } from '../runtime/clock.ts'
import { buildClientClaims } from '../tokens/access-token.ts'
import type { TokenMint } from '../tokens/token-mint.ts'
import type { IssuedTokens } from '../tokens/token-response.ts'
import type { GrantContext } from './grant-context.ts'
import { grantAudience, grantScope } from './granted.ts'

export interface ClientCredentialsGrant {
  readonly tokens: Pick<TokenMint, 'sign'>
  readonly issuer: string
  readonly defaultAudience: string
  readonly clock: Clock
}

/** Throws OAuthError `unauthorized_client`, `invalid_scope` or `invalid_target`. */
export function issueByClientCredentials(
  request: ClientCredentialsRequest,
  { client }: GrantContext,
  grant: ClientCredentialsGrant,
): IssuedTokens {
  // RFC 6749 §4.4: confidential clients only, whatever the table says.
  if (client.type === 'public') throw new OAuthError('grant_type_not_allowed')
  const scope = grantScope(client, request.scope)
  const { token: audience } = grantAudience(client, grant.defaultAudience, request.resources)
  // Who asks where the end of the client's sessions is known comes after it.
  const nowMs = Math.max(grant.clock(), client.sessionsValidFrom.getTime())
  const claims = buildClientClaims({ client, scope, audience, issuer: grant.issuer, nowMs })
  return {
    accessToken: grant.tokens.sign(claims),
    expiresInSeconds: claims.exp - toSeconds(nowMs),
    scope,
    refreshToken: undefined,
  }
}
