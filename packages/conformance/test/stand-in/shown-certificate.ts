// The certificate that a connection has shown, if it has shown one.

import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'

export interface Certificate {
  /** In Node's words, one attribute a line. */
  readonly subject: string
  /** Of the DER, with colons. */
  readonly fingerprint: string
  /** Whether the authority of clients has signed it. */
  readonly isTrusted: boolean
}

export function readCertificate({ socket }: IncomingMessage): Certificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const x509 = socket.getPeerX509Certificate()
  if (!x509) return undefined
  const { subject, fingerprint256: fingerprint } = x509
  return { subject, fingerprint, isTrusted: socket.authorized }
}
