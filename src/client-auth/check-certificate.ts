// What both methods with a certificate ask of it, whoever the client is.

import {
  type ClientCertificate,
  isInForce,
  type Presented,
} from '../certificates/client-certificate.ts'
import type { OAuthReason } from '../oauth/oauth-error.ts'
import type { Clock } from '../runtime/clock.ts'

/** The certificate, or why it proves nothing. */
export function checkCertificate(
  presented: Presented,
  clock: Clock,
):
  | { readonly certificate: ClientCertificate; readonly isChainTrusted: boolean }
  | { readonly refusal: OAuthReason } {
  if (presented === undefined) return { refusal: 'client_certificate_missing' }
  if (presented === 'unreadable') return { refusal: 'client_certificate_unreadable' }
  return isInForce(presented.certificate, clock())
    ? presented
    : { refusal: 'client_certificate_out_of_date' }
}
