// The header in which a proxy that has ended TLS passes a client's certificate on: as RFC 9440 has
// it, or URL-encoded PEM, which many proxies write.

export interface CertificateHeader {
  /** In lower case. */
  readonly name: string
  readonly form: 'rfc9440' | 'pem'
}
