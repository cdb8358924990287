// The answer to whoever logs in or refreshes: the tokens of a user's family.

import type { Client } from '../clients/client.ts'
import type { Family } from '../families/family.ts'
import { mintRefreshToken } from '../families/refresh-token-string.ts'
import { toSeconds } from '../runtime/clock.ts'
import type { RootSecret } from '../secrets/root-secret.ts'
import { buildUserClaims } from '../tokens/access-token.ts'
import type { UserRecord } from '../users/user.ts'
import type { GrantServices, IssuedTokens } from './grant.ts'

export interface UserGrant {
  readonly client: Client
  /** The family as the login made it, after the rotation, or as a retry found it. */
  readonly family: Family
  readonly user: UserRecord
  readonly scope: readonly string[]
  readonly audience: readonly string[]
  /** At a refresh the one that the presented token names, so that a retry gives the same `jti`. */
  readonly rootSecret: RootSecret
  /** Goes into the refresh token; undefined where there is to be none. */
  readonly familySecret: Buffer | undefined
}

/** The tokens of a user's family in its generation; the same family gives the same tokens. */
export function issueUserTokens(
  grant: UserGrant,
  services: Pick<GrantServices, 'tokens' | 'rootSecrets' | 'issuer' | 'clock'>,
): IssuedTokens {
  const { family, scope, familySecret } = grant
  const claims = buildUserClaims({ ...grant, issuer: services.issuer })
  const nowSeconds = toSeconds(services.clock())
  const { userId, familyId, generation } = family
  return {
    accessToken: services.tokens.sign(claims),
    expiresInSeconds: claims.exp - nowSeconds,
    scope,
    refreshToken: familySecret && {
      token: mintRefreshToken({ userId, familyId, familySecret, generation }, services.rootSecrets),
      expiresInSeconds: Math.max(0, toSeconds(family.idleExpiresAtMs) - nowSeconds),
    },
  }
}
