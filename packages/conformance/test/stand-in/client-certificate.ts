// Clients with a certificate, and tokens that are bound to one (RFC 8705).

import type { Certificate } from './shown-certificate.ts'
import type { Client, State } from './state.ts'
import { type Call, invalidRequest } from './wire.ts'

/** Whether the certificate of the call is that of the client (RFC 8705 §2.1). */
export function hasOwnCertificate({ has }: State, { certificate }: Call, client: Client): boolean {
  if (client.certificateSubject === undefined) {
    return certificate?.isTrusted === true && has('certificate-proves-anybody')
  }
  if (!certificate) return has('certificate-not-needed')
  const isNamed = certificate.subject === client.certificateSubject
  if (!isNamed && !has('certificate-name-ignored')) return false
  return certificate.isTrusted || has('certificate-authority-ignored')
}

/**
 * What the client's tokens are bound to; undefined for a client whose tokens are not. Throws
 * invalid_request where a certificate has to be there and is not.
 */
export function bindToCertificate(
  { has }: State,
  { certificate }: Call,
  client: Client,
): string | undefined {
  if (!client.bindsTokens) return undefined
  if (certificate) return toThumbprint(certificate)
  if (has('certificate-not-needed') || has('certificate-binding-needs-none')) return undefined
  throw invalidRequest('a certificate is needed')
}

const toThumbprint = ({ fingerprint }: Certificate): string =>
  Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')

/** The claim of a token that is bound to it. */
export function confirmCertificate({ has }: State, thumbprint: string): object {
  if (has('certificate-not-named')) return {}
  const bytes = Buffer.from(thumbprint, 'base64url')
  return { 'x5t#S256': has('certificate-digest-in-hex') ? bytes.toString('hex') : thumbprint }
}
