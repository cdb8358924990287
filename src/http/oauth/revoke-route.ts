// POST /revoke (RFC 7009): a refresh token takes its family with it, an access token only itself.
// Whatever the token was, the answer is 200, so that nothing is learned from it (§2.2).

import type { FastifyInstance } from 'fastify'
import type { Client } from '../../clients/client.ts'
import type { Families } from '../../families/families.ts'
import {
  authenticateRefreshToken,
  hashFamilySecret,
  type RefreshToken,
} from '../../families/refresh-token-string.ts'
import type { Source } from '../../grants/grant.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { RootSecrets } from '../../secrets/root-secret.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { tokenOwnerOf } from '../../tokens/check-access-token.ts'
import type { TokenMint } from '../../tokens/token-mint.ts'
import { sourceOf } from '../server/request-source.ts'
import { checkBrowserCall, findNamedCookieClient } from './browser-client.ts'
import { authenticateSender, registerFormEndpoint, type SenderCheck } from './oauth-endpoint.ts'
import type { TokenCookies } from './token-cookies.ts'

export interface RevokeRouteDependencies extends SenderCheck {
  readonly cookies: TokenCookies
  readonly tokens: Pick<TokenMint, 'verify'>
  readonly families: Families
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
}

export function registerRevoke(app: FastifyInstance, dependencies: RevokeRouteDependencies): void {
  const { clients, cookies, rootSecrets } = dependencies
  registerFormEndpoint(app, '/revoke', async (form, request, reply) => {
    const token = form.get('token')
    // A cookie client that sends neither parameter nor cookie is logged out already.
    if (token === undefined && !(await findNamedCookieClient(request, form, clients))) {
      throw new OAuthError('parameter_missing', { parameter: 'token' })
    }
    const client = await authenticateSender(request, form, dependencies)
    const source = sourceOf(request, client)
    if (client.tokenDelivery === 'body') {
      if (token !== undefined) await revoke(token, client, source, dependencies)
      return reply.code(200).send()
    }
    const isInBody = token !== undefined && authenticateRefreshToken(token, rootSecrets)
    checkBrowserCall(request, client, cookies, Boolean(isInBody))
    const presented = token ?? cookies.readRefreshTokens(request, client)[0]
    if (presented !== undefined) await revoke(presented, client, source, dependencies)
    // An access token in the body ends alone; the session goes on, and so do its cookies.
    if (token === undefined) cookies.clearSent(request, reply, client)
    return reply.code(200).send()
  })
}

async function revoke(
  token: string,
  client: Client,
  source: Source,
  dependencies: RevokeRouteDependencies,
): Promise<void> {
  // The two kinds cannot be mistaken for each other, so token_type_hint has nothing to add
  // (RFC 7009 §2.1).
  const refreshToken = authenticateRefreshToken(token, dependencies.rootSecrets)
  const claims = refreshToken ? undefined : dependencies.tokens.verify(token)
  if (refreshToken) await endFamily(refreshToken, client, source, dependencies)
  if (claims?.client_id === client.id) {
    await revokeAccessToken(claims, client, source, dependencies)
  }
}

async function endFamily(
  token: RefreshToken,
  client: Client,
  source: Source,
  { families, clock, recordEvent }: RevokeRouteDependencies,
): Promise<void> {
  const reason = 'revoked_by_client'
  const outcome = await families.end({
    userId: token.userId,
    familyId: token.familyId,
    reason,
    atMs: clock(),
    clientId: client.id,
    secretHash: hashFamilySecret(token.familySecret),
  })
  const about = {
    subject: token.userId,
    sessionId: token.familyId,
    clientId: client.id,
    ...source,
  }
  if (outcome === 'ended') recordEvent({ type: 'token.revoked', reason, ...about })
  if (outcome === 'secret_wrong') recordEvent({ type: 'secret.compromised', ...about })
}

async function revokeAccessToken(
  claims: AccessTokenClaims,
  client: Client,
  source: Source,
  { families, recordEvent }: RevokeRouteDependencies,
): Promise<void> {
  const isNews = await families.revokeToken({
    owner: tokenOwnerOf(claims),
    jti: claims.jti,
    expiresAtMs: claims.exp * 1000,
  })
  if (!isNews) return
  const about = { subject: claims.sub, clientId: client.id, ...source }
  recordEvent({ type: 'token.revoked', reason: 'revoked_by_client', ...about })
}
