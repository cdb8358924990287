// How Lineage speaks TLS where it ends it itself (docs/semantics.md §24).

import { constants } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import type { TlsMaterial } from './tls-files.ts'

/** With forward secrecy and an authenticated cipher; TLS 1.3 has no others (RFC 9325 §4.2). */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** A connection that does not get so far by then is ended. */
const HANDSHAKE_MS = 10_000

/** What changes when the files do; a server takes it for the connections to come. */
export function toSecureContext({ cert, key, clientCa }: TlsMaterial) {
  return {
    cert,
    key,
    // Without a list Node would take the roots of the web, which sign for everybody.
    ca: clientCa ?? [],
    ciphers: CIPHERS,
    minVersion: 'TLSv1.2',
    // No session is resumed: it would bring along what was said of its certificate under other
    // files. And nobody begins anew within a connection.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  } as const satisfies TlsOptions
}

/**
 * A certificate is asked for and never demanded: most callers have none, and who proves himself by
 * one is checked where it counts.
 */
export function toTlsOptions(material: TlsMaterial) {
  return {
    ...toSecureContext(material),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
  } as const satisfies TlsOptions
}
