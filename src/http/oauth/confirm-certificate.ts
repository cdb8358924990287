// The certificate to which the tokens of a client are bound (RFC 8705 §3): whoever presents them has to
// present it, too.

import { isInForce } from '../../certificates/client-certificate.ts'
import type { Client } from '../../clients/client.ts'
import type { Confirmation } from '../../oauth/confirmation.ts'
import { OAuthError } from '../../oauth/oauth-error.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { EndpointRequest } from '../server/endpoint.ts'

/**
 * Undefined for a client whose tokens are not bound to certificates. Throws OAuthError where one has
 * to be there and is not: RFC 8705 leaves it to us, and an unbound token is not what the client wants.
 */
export function confirmCertificate(
  { raw, server }: EndpointRequest,
  client: Client,
  clock: Clock,
): Confirmation | undefined {
  if (!client.tlsClientCertificateBoundAccessTokens) return undefined
  const presented = server.presentedCertificate(raw)
  if (presented === undefined) throw new OAuthError('certificate_required')
  if (presented === 'unreadable' || !isInForce(presented.certificate, clock())) {
    throw new OAuthError('certificate_unusable')
  }
  return { 'x5t#S256': presented.certificate.thumbprint }
}
