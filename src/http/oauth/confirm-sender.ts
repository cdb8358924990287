// What the sender of a token request has shown to hold, to which its tokens are bound: a key, by a DPoP
// proof (RFC 9449 §5), or its certificate.

import type { Client } from '../../clients/client.ts'
import type { CheckedProof, DpopVerifier } from '../../dpop/dpop-verifier.ts'
import type { GrantContext } from '../../grants/grant.ts'
import { type IssuerNames, namesOf } from '../../oauth/issuer-alias.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import type { Clock } from '../../runtime/clock.ts'
import { dpopHeaderOf, setNonce } from '../server/dpop-header.ts'
import type { EndpointReply, EndpointRequest } from '../server/endpoint.ts'
import { confirmCertificate } from './confirm-certificate.ts'

export interface SenderConfirmation extends IssuerNames {
  readonly dpop: DpopVerifier
  readonly clock: Clock
}

/**
 * The proof of a token request; undefined where it has none. Before the client is authenticated: who has
 * to send it again with a nonce has then used up no assertion and no attempt. Throws OAuthError.
 */
export function readSenderProof(
  request: EndpointRequest,
  reply: EndpointReply,
  confirmation: SenderConfirmation,
): CheckedProof | undefined {
  const header = dpopHeaderOf(request)
  if (header === undefined) return undefined
  if (header === 'repeated') throw new OAuthError('dpop_repeated')
  // Compared with the names that clients have for it, not with what a proxy calls.
  const urls = namesOf(confirmation).map((name) => `${name}/token`)
  const proof = confirmation.dpop.checkForTokens(header.text, { method: 'POST', urls })
  setNonce(reply, proof)
  if ('fault' in proof) throw new OAuthError(proof.fault)
  return proof
}

/**
 * How to learn what the tokens are bound to; undefined where the sender has shown nothing. What the client
 * has to show is asked here, before anything else: throws OAuthError. The proof is used up by the first call.
 */
export function confirmSender(
  request: EndpointRequest,
  proof: CheckedProof | undefined,
  client: Client,
  { dpop, clock }: Pick<SenderConfirmation, 'dpop' | 'clock'>,
): GrantContext['confirm'] {
  const certificate = confirmCertificate(request, client, clock)
  if (!proof) {
    if (client.dpopBoundAccessTokens) throw new OAuthError('dpop_missing')
    return () => certificate
  }
  let taken: Promise<boolean> | undefined
  return async () => {
    taken ??= dpop.take(proof)
    if (!(await taken)) throw new OAuthError('dpop_replayed')
    return { jkt: proof.thumbprint, ...certificate }
  }
}
