// A certificate that somebody has shown to hold the key of, and how far those who saw it vouch for it.

import { createHash, type KeyObject, X509Certificate } from 'node:crypto'

export interface ClientCertificate {
  readonly raw: Buffer
  /** SHA-256 of it, base64url: `x5t#S256` (RFC 8705 §3.1). */
  readonly thumbprint: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** Undefined for a key of a kind that we do not know. */
  publicKey(): KeyObject | undefined
}

export interface PresentedCertificate {
  readonly certificate: ClientCertificate
  /** Whether its chain leads to an authority that was trusted for clients. */
  readonly isChainTrusted: boolean
}

/** What a request brings: undefined where there is none. */
export type Presented = PresentedCertificate | 'unreadable' | undefined

/** Undefined for bytes that are not one certificate. */
export function openCertificate(der: Buffer): ClientCertificate | undefined {
  try {
    return toClientCertificate(new X509Certificate(der), der)
  } catch {
    return undefined
  }
}

/** Whether it is good at that time; RFC 5280 §4.1.2.5 counts both ends in. */
export function isInForce({ notBeforeMs, notAfterMs }: ClientCertificate, atMs: number): boolean {
  return notBeforeMs <= atMs && atMs < notAfterMs + 1000
}

function toClientCertificate(x509: X509Certificate, given: Buffer): ClientCertificate | undefined {
  const { raw } = x509
  // What follows the certificate, or another spelling of it, would give it a second thumbprint.
  if (!raw.equals(given)) return undefined
  return {
    raw,
    thumbprint: createHash('sha256').update(raw).digest('base64url'),
    // A date that cannot be read is NaN, with which it is never in force.
    notBeforeMs: Date.parse(x509.validFrom),
    notAfterMs: Date.parse(x509.validTo),
    publicKey() {
      try {
        return x509.publicKey
      } catch {
        return undefined
      }
    },
  }
}
