// Requests to the token endpoint with a certificate of a client (RFC 8705), where the service asks for
// one, and what counts as a refusal of it.

import { X509Certificate } from 'node:crypto'
import type { Need } from './conformance-check.ts'
import type { CertificateClient, CertifiedKey } from './credentials.ts'
import { expectError, expectRefused } from './expect-answer.ts'
import type { Answer } from './http-exchange.ts'
import { type Parameters, type TestedService, textOf } from './tested-service.ts'

const METHODS = ['tls_client_auth', 'self_signed_tls_client_auth']
/** How TLS ends a connection whose certificate is not welcome, or missing. */
const CUT_CODES = ['ECONNRESET', 'EPIPE', 'EPROTO']

export const needsCertificates: Need = ({ metadata, credentials, ...service }) => {
  const methods = metadata.token_endpoint_auth_methods_supported
  if (!Array.isArray(methods) || !METHODS.some((method) => methods.includes(method))) {
    return 'the metadata lists no method with certificates'
  }
  if (!credentials.certificateClient) return 'no client with a certificate was given'
  const url = certifiedTokenUrl({ metadata, ...service })
  return url.startsWith('https:') ? undefined : 'no token endpoint speaks TLS'
}

/** RFC 8705 §5: an alias goes before the endpoint itself. Empty when there is neither. */
export function certifiedTokenUrl({
  metadata: { mtls_endpoint_aliases: aliases },
  endpoint,
}: Pick<TestedService, 'metadata' | 'endpoint'>): string {
  const isThere = typeof aliases === 'object' && aliases !== null && 'token_endpoint' in aliases
  return textOf(isThere ? aliases.token_endpoint : undefined) ?? endpoint('token') ?? ''
}

/** RFC 8705 §3.1, as it stands in `cnf["x5t#S256"]`. */
export function thumbprintOf({ certificate }: Pick<CertifiedKey, 'certificate'>): string {
  const digest = new X509Certificate(certificate).fingerprint256.replaceAll(':', '')
  return Buffer.from(digest, 'hex').toString('base64url')
}

/**
 * POSTs a form there with the certificate, or without one. Undefined when the connection was ended in
 * place of an answer, which is how some proxies refuse.
 */
export async function postCertified(
  service: TestedService,
  parameters: Parameters,
  certified: CertifiedKey | undefined,
  { serverCa }: Pick<CertificateClient, 'serverCa'>,
): Promise<Answer | undefined> {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const body = new URLSearchParams(given as [string, string][]).toString()
  const headers = [['Content-Type', 'application/x-www-form-urlencoded']] as const
  const tls = {
    ...(certified && { cert: certified.certificate, key: certified.key }),
    ...(serverCa !== undefined && { ca: serverCa }),
  }
  try {
    return await service.send(certifiedTokenUrl(service), { body, headers, tls })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (CUT_CODES.includes(code) || code.startsWith('ERR_SSL_')) return undefined
    throw error
  }
}

/** A refusal with one of the codes; by a proxy that ends TLS, in whatever words or with none. */
export function expectTurnedAway(
  answer: Answer | undefined,
  codes: string | readonly string[],
  what: string,
): void {
  if (answer === undefined) return
  if (answer.json.error === undefined) expectRefused(answer, what)
  else expectError(answer, codes, what)
}
