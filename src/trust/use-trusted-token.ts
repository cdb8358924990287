// Using a token that was checked: once, or counted where its issuer hands out such that are used again.

import { expiryMs, findTextClaim } from '../assertions/assertion-checks.ts'
import type { ForeignJwt } from '../assertions/foreign-jwt.ts'
import type { AssertionReason } from '../oauth/assertion-reason.ts'
import type { SingleUse } from '../replay/single-use.ts'
import type { TokenUses } from '../replay/token-uses.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import { sourceNetwork } from '../runtime/source-network.ts'
import { podOf, type TrustCheckServices, type TrustedToken } from './check-trusted-token.ts'

/** What the tokens of trusted issuers are checked and used with. */
export interface TrustServices extends TrustCheckServices {
  readonly singleUse: SingleUse
  readonly tokenUses: TokenUses
  readonly recordEvent: RecordEvent
}

/** By whom a token is used, and from where. */
export interface TokenUser {
  readonly clientId: string
  readonly ip: string
  /** Of the request that brings it. */
  readonly requestId?: string | undefined
}

/**
 * Why it is refused, as one that was used already; undefined when it may be used now. Only for a token that
 * passed every other check. Rejects with DependencyUnavailable.
 */
export async function useTrustedToken(
  { issuer, jwt }: TrustedToken,
  { clientId, ip, requestId }: TokenUser,
  { singleUse, tokenUses, recordEvent }: TrustServices,
): Promise<AssertionReason | undefined> {
  const group = `trust ${issuer.id}`
  const untilMs = expiryMs(jwt)
  if (issuer.replay === 'single_use') {
    return (await singleUse.take(group, idOf(jwt), untilMs)) ? undefined : 'replayed'
  }
  const pod = issuer.kind === 'kubernetes' ? podOf(jwt) : undefined
  const holder = pod === undefined ? idOf(jwt) : `pod ${pod}`
  const { count, isElsewhere } = await tokenUses.count(group, holder, sourceNetwork(ip), untilMs)
  if (isElsewhere) {
    const detail = { trustedIssuer: issuer.id, uses: count, ...(pod !== undefined && { pod }) }
    const caused = requestId === undefined ? {} : { requestId }
    recordEvent({ type: 'client.token_used_elsewhere', clientId, ip, detail, ...caused })
  }
  return undefined
}

/**
 * Its `jti`, else all that is signed. Not the signature, because whoever has one of ECDSA can compute another
 * one of the same token.
 */
function idOf(jwt: ForeignJwt): string {
  const jti = findTextClaim(jwt, 'jti')
  return jti === undefined ? `text ${jwt.signed}` : `jti ${jti}`
}
