// A request as far as its token is concerned, of whichever server.

import {
  type CertificateInput,
  isEncrypted,
  parseClientCert,
  peerCertificateOf,
} from './certificate-check.ts'

export interface PresentedRequest {
  readonly method: string
  /** As the client sees it, with scheme and host; a proof is compared with it. */
  readonly url: string
  /** The headers of that name. */
  readonly authorization: string | undefined
  readonly dpop: string | undefined
  /** That the client has proved to hold: of the connection, or as a trusted proxy tells. */
  readonly certificate: CertificateInput | undefined
}

/** What Node's requests have, and those of Express and Fastify with them. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** Express has the whole path there, wherever a router is mounted. */
  readonly originalUrl?: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Of TLS, its certificate is looked at. */
  readonly socket?: object
}

export interface RequestView {
  /**
   * What clients call this API by, such as `https://api.example.com`, with the path that a proxy takes
   * away; by default the connection's scheme and its `Host`, which whoever sends the request chooses.
   */
  readonly publicUrl?: string
  /** Set `Client-Cert` (RFC 9440) aside for a proxy that overwrites it; nobody else may be able to. */
  readonly trustClientCert?: boolean
}

export function presentRequest(request: NodeRequest, view: RequestView = {}): PresentedRequest {
  const { headers, socket, method = 'GET' } = request
  const path = request.originalUrl ?? request.url ?? '/'
  const scheme = isEncrypted(socket) ? 'https' : 'http'
  const base = view.publicUrl ?? `${scheme}://${single(headers.host) ?? 'localhost'}`
  return {
    method,
    url: `${base.endsWith('/') ? base.slice(0, -1) : base}${path}`,
    authorization: single(headers.authorization),
    dpop: single(headers.dpop),
    certificate: view.trustClientCert
      ? parseClientCert(single(headers['client-cert']))
      : peerCertificateOf(socket),
  }
}

/** Joined, a header that came twice is none that anybody made. */
function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
