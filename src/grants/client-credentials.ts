// grant_type=client_credentials: a token for the client itself (RFC 6749 §4.4). No database, no
// store, no refresh token (§4.4.3).

import { toSeconds } from '../runtime/clock.ts'
import { buildClientClaims } from '../tokens/access-token.ts'
import { defineGrant, type GrantContext, type GrantServices, type IssuedTokens } from './grant.ts'
import { grantAudience, grantScope, type RequestedTarget, readTarget } from './granted.ts'

export const clientCredentials = defineGrant({
  name: 'client_credentials',
  listedAs: 'client_credentials',
  loadClass: 'client_credentials',
  // RFC 6749 §4.4: whoever knows the id of a public client is not that client.
  confidentialOnly: true,
  isDeprecated: false,
  parameters: [],
  parse: readTarget,
  issue,
})

/** Throws OAuthError `invalid_scope` or `invalid_target`. */
async function issue(
  request: RequestedTarget,
  { client, confirm }: GrantContext,
  { tokens, issuer, defaultAudience, clock }: GrantServices,
): Promise<IssuedTokens> {
  const scope = grantScope(client, request.scope)
  const { token: audience } = grantAudience(client, defaultAudience, request.resources)
  const confirmation = await confirm()
  // Never before the end of the client's sessions that is known here, even if our clock is behind
  // it.
  const nowMs = Math.max(clock(), client.sessionsValidFrom.getTime())
  const claims = buildClientClaims({ client, scope, audience, confirmation, issuer, nowMs })
  return {
    accessToken: tokens.sign(claims, client),
    expiresInSeconds: claims.exp - toSeconds(nowMs),
    scope,
    refreshToken: undefined,
  }
}
