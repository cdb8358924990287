// The answer to whoever logs in or refreshes: the tokens of a user's family.

import type { Client } from '../clients/client.ts'
import { mintRefreshToken } from '../families/refresh-token-string.ts'
import { toSeconds } from '../runtime/clock.ts'
import { buildUserClaims, type UserTokenInput } from '../tokens/access-token.ts'
import type { GrantServices, IssuedTokens } from './grant.ts'

/** What the access token says, and what the refresh token needs besides. */
export interface UserGrant extends UserTokenInput {
  readonly client: UserTokenInput['client'] & Pick<Client, 'signingAlg'>
  /** Goes into the refresh token; undefined where there is to be none. */
  readonly familySecret: Buffer | undefined
}

/** The tokens of a user's family in its generation; the same family gives the same tokens. */
export function issueUserTokens(
  grant: UserGrant,
  services: Pick<GrantServices, 'tokens' | 'rootSecrets' | 'clock'>,
): IssuedTokens {
  const { family, scope, familySecret } = grant
  const claims = buildUserClaims(grant)
  const nowSeconds = toSeconds(services.clock())
  const { userId, familyId, generation } = family
  const secondsUntil = (ms: number) => Math.max(0, toSeconds(ms) - nowSeconds)
  return {
    accessToken: services.tokens.sign(claims, grant.client),
    expiresInSeconds: claims.exp - nowSeconds,
    scope,
    refreshToken: familySecret && {
      token: mintRefreshToken({ userId, familyId, familySecret, generation }, services.rootSecrets),
      expiresInSeconds: secondsUntil(family.idleExpiresAtMs),
      authorizationExpiresInSeconds: secondsUntil(family.absoluteExpiresAtMs),
    },
  }
}
