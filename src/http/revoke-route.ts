// POST /revoke (RFC 7009): a refresh token takes its family with it, an access token only itself.
// Whatever the token was, the answer is 200, so that nothing is learned from it (§2.2).

import type { FastifyInstance } from 'fastify'
import type { Client } from '../clients/client.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { Families } from '../families/families.ts'
import {
  authenticateRefreshToken,
  hashFamilySecret,
  type RefreshToken,
} from '../families/refresh-token-string.ts'
import { OAuthError } from '../oauth/oauth-error.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'
import { tokenOwnerOf } from '../tokens/check-access-token.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import { authenticateSender, formOf, OAUTH_ENDPOINT } from './oauth-endpoint.ts'

export interface RevokeRouteDependencies {
  readonly clients: Pick<ClientTable, 'find'>
  readonly keys: Pick<SigningKeys, 'verify'>
  readonly families: Families
  readonly rootSecrets: RootSecrets
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

export function registerRevoke(app: FastifyInstance, dependencies: RevokeRouteDependencies): void {
  const { clients, keys, rootSecrets } = dependencies
  app.post('/revoke', OAUTH_ENDPOINT, async (request, reply) => {
    const form = formOf(request)
    const token = form.get('token')
    if (token === undefined) throw new OAuthError('parameter_missing')
    const client = await authenticateSender(request, form, clients)
    // The two kinds cannot be mistaken for each other, so token_type_hint has nothing to add
    // (RFC 7009 §2.1).
    const refreshToken = authenticateRefreshToken(token, rootSecrets)
    const claims = refreshToken ? undefined : keys.verify(token)
    if (refreshToken) await endFamily(refreshToken, client, dependencies)
    if (claims?.client_id === client.id) await revokeAccessToken(claims, client, dependencies)
    return reply.code(200).send()
  })
}

async function endFamily(
  token: RefreshToken,
  client: Client,
  { families, clock, recordEvent }: RevokeRouteDependencies,
): Promise<void> {
  const outcome = await families.end({
    userId: token.userId,
    familyId: token.familyId,
    reason: 'revoked_by_client',
    atMs: clock(),
    clientId: client.id,
    secretHash: hashFamilySecret(token.familySecret),
  })
  const about = { subject: token.userId, sessionId: token.familyId, clientId: client.id }
  if (outcome === 'ended') recordEvent({ type: 'token.revoked', ...about })
  if (outcome === 'secret_wrong') recordEvent({ type: 'secret.compromised', ...about })
}

async function revokeAccessToken(
  claims: AccessTokenClaims,
  client: Client,
  { families, recordEvent }: RevokeRouteDependencies,
): Promise<void> {
  await families.revokeToken({
    owner: tokenOwnerOf(claims),
    jti: claims.jti,
    expiresAtMs: claims.exp * 1000,
  })
  recordEvent({ type: 'token.revoked', subject: claims.sub, clientId: client.id })
}
