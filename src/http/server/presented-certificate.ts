// Which certificate a request comes with: that of its connection or, from a proxy that is trusted, the one
// in the header (RFC 9440). Never both: what a trusted proxy itself presents to us is not its caller's.

import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { CertificateHeader } from '../../certificates/certificate-header.ts'
import { readCertificateValue } from '../../certificates/certificate-value.ts'
import { openCertificate, type Presented } from '../../certificates/client-certificate.ts'
import { parseIpAddress } from '../../runtime/ip-address.ts'
import { isRepeated } from './repeated-header.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly presentedCertificate: (request: IncomingMessage) => Presented
  }
}

export interface CertificateSources {
  /** `off`: no proxy speaks for certificates. */
  readonly header: CertificateHeader | 'off'
  /** Whether clients' certificates are checked against authorities here. */
  readonly hasAuthorities: boolean
}

/** To be called after `trustProxies`. */
export function takeCertificates(app: FastifyInstance, sources: CertificateSources): void {
  const { header, hasAuthorities } = sources
  const ofConnection = new WeakMap<TLSSocket, Presented>()

  function readConnection(socket: TLSSocket): Presented {
    if (!ofConnection.has(socket)) {
      const x509 = socket.getPeerX509Certificate()
      const certificate = x509 && openCertificate(x509.raw)
      const isChainTrusted = hasAuthorities && socket.authorized
      ofConnection.set(
        socket,
        x509 && (certificate ? { certificate, isChainTrusted } : 'unreadable'),
      )
    }
    return ofConnection.get(socket)
  }

  function readHeader(raw: IncomingMessage): Presented {
    if (header === 'off') return undefined
    const value = raw.headers[header.name]
    if (value === undefined) return undefined
    const isOne = typeof value === 'string' && !isRepeated({ raw }, header.name)
    const der = isOne ? readCertificateValue(value, header.form) : undefined
    const certificate = der && openCertificate(der)
    // The proxy has checked it before it passed it on, as docs/operations.md asks.
    return certificate ? { certificate, isChainTrusted: true } : 'unreadable'
  }

  app.decorate('presentedCertificate', (raw: IncomingMessage): Presented => {
    const peer = parseIpAddress(raw.socket.remoteAddress ?? '')
    if (peer !== undefined && app.isTrustedProxy(peer)) return readHeader(raw)
    return raw.socket instanceof TLSSocket ? readConnection(raw.socket) : undefined
  })
}
