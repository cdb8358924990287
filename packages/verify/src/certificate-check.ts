// Whether a request comes over a connection with the certificate that its token is bound to (RFC 8705 §3).

import { createHash, X509Certificate } from 'node:crypto'
import { RefusedTokenError } from './verify-errors.ts'

/** DER, PEM, or as Node has it. */
export type CertificateInput = Uint8Array | string | X509Certificate

/** Throws RefusedTokenError. */
export function checkCertificate(
  certificate: CertificateInput | undefined,
  thumbprint: string,
): void {
  if (certificate === undefined) throw new RefusedTokenError('certificate_missing')
  if (thumbprintOf(certificate) !== thumbprint) throw new RefusedTokenError('certificate_other')
}

/** `x5t#S256`. Undefined for what is no certificate. */
export function thumbprintOf(certificate: CertificateInput): string | undefined {
  try {
    const der =
      certificate instanceof Uint8Array
        ? certificate
        : typeof certificate === 'string'
          ? new X509Certificate(certificate).raw
          : certificate.raw
    return createHash('sha256').update(der).digest('base64url')
  } catch {
    return undefined
  }
}

/** The value of a `Client-Cert` header (RFC 9440 §2.2), for whoever trusts the proxy that sets it. */
export function parseClientCert(value: string | undefined): Uint8Array | undefined {
  if (value === undefined || value.length < 3 || !value.startsWith(':') || !value.endsWith(':')) {
    return undefined
  }
  const base64 = value.slice(1, -1)
  const der = Buffer.from(base64, 'base64')
  return der.toString('base64') === base64 ? der : undefined
}

/** That of the connection itself; undefined over plain http or where none was presented. */
export function peerCertificateOf(socket: object | undefined): X509Certificate | undefined {
  return isTls(socket) ? socket.getPeerX509Certificate() : undefined
}

/** By what it can do: any server's socket fits. */
function isTls(
  socket: object | undefined,
): socket is { getPeerX509Certificate(): X509Certificate | undefined } {
  return isEncrypted(socket) && socket !== undefined && 'getPeerX509Certificate' in socket
}

export function isEncrypted(socket: object | undefined): boolean {
  return socket !== undefined && 'encrypted' in socket && socket.encrypted === true
}
