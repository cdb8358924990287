// The value of the header in which a proxy passes a client's certificate on, taken in exactly the form
// that is configured.

import type { CertificateHeader } from './certificate-header.ts'

/** Room for a certificate of 8 KiB; ours are of one or two. */
const LENGTH_MAX = 12 * 1024

/** RFC 8941 §3.3.5, of one item: base64 with its padding between colons. */
const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]+={0,2}):$/
const PEM = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/\n]+={0,2})\n-----END CERTIFICATE-----\n?$/

/** The DER of the one certificate in the value; undefined unless it is written exactly so. */
export function readCertificateValue(
  value: string,
  form: CertificateHeader['form'],
): Buffer | undefined {
  if (value.length > LENGTH_MAX) return undefined
  const base64 = form === 'rfc9440' ? BYTE_SEQUENCE.exec(value)?.[1] : pemBody(value)
  if (base64 === undefined) return undefined
  const der = Buffer.from(base64, 'base64')
  // Buffer takes what is not canonical, too (RFC 4648 §3.5).
  return der.toString('base64') === base64 ? der : undefined
}

function pemBody(value: string): string | undefined {
  try {
    return PEM.exec(decodeURIComponent(value))?.[1]?.replaceAll('\n', '')
  } catch {
    return undefined
  }
}
