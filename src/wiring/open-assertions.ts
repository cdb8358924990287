// What assertions of clients are checked with, put together.

import { openRemoteKeys } from '../assertions/remote-keys.ts'
import type { AssertionServices } from '../client-auth/authentication-method.ts'
import type { ServiceConfig } from '../config/service-config.ts'
import { namesOf } from '../oauth/issuer-alias.ts'
import { logEvent } from '../ops/log-events.ts'
import type { TrustServices } from '../trust/use-trusted-token.ts'
import type { Foundation } from './foundation.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'

export function openAssertions(
  {
    config,
    clock,
    logger,
    traceCall,
  }: Pick<Foundation, 'config' | 'clock' | 'logger' | 'traceCall'>,
  { singleUse }: Pick<OpenedFamilyStore, 'singleUse'>,
): AssertionServices {
  return {
    audiences: audiencesOf(config),
    remoteKeys: openRemoteKeys({
      traceCall,
      onFailed: (failure) => logEvent(logger, 'jwks.failed', failure),
    }),
    singleUse,
    clock,
  }
}

/** The URL of an endpoint, by either name, is what a client of another server can be led to put there. */
function audiencesOf(
  config: Pick<ServiceConfig, 'issuer' | 'assertionAudience' | 'mtlsOrigin'>,
): string[] {
  const { issuer, assertionAudience } = config
  if (assertionAudience === 'issuer') return [issuer]
  return [issuer, ...namesOf(config).map((name) => `${name}/token`)]
}

/** What the tokens of trusted issuers are checked and used with. */
export function openTrust(
  { audit: { recordEvent } }: Pick<Foundation, 'audit'>,
  { tokenUses }: Pick<OpenedFamilyStore, 'tokenUses'>,
  parts: Omit<TrustServices, 'tokenUses' | 'recordEvent'>,
): TrustServices {
  const { trustedIssuers, remoteKeys, singleUse, clock } = parts
  return { trustedIssuers, remoteKeys, singleUse, tokenUses, clock, recordEvent }
}
