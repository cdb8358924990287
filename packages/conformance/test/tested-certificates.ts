// Certificates for the services that tests look at: of clients, with the authority that signs them, and
// of a listener that asks everybody for one and demands none.

import type { TlsOptions } from 'node:tls'
import {
  type Certified,
  makeAuthority,
  makeSelfSigned,
} from '../../../test/support/certificates.ts'

export const CLIENT_CA = makeAuthority('Client CA')
const OTHER = CLIENT_CA.issue({ subject: [['CN', 'somebody else']] })
const SERVER = makeSelfSigned({
  subject: [['CN', 'localhost']],
  names: { ip: [[127, 0, 0, 1]] },
  isForServers: true,
})

export const TLS_OPTIONS: TlsOptions = {
  cert: SERVER.cert,
  key: SERVER.key,
  ca: CLIENT_CA.cert,
  requestCert: true,
  rejectUnauthorized: false,
}

/** One of the authority, as the suite is given it, with one that is not this client's. */
export function certifyClient(id: string) {
  return describeCertified(id, CLIENT_CA.issue({ subject: [['CN', id]] }))
}

/** @param serverCa Who signed the certificate of the listener. */
export function describeCertified(id: string, certified: Certified, serverCa = SERVER.cert) {
  return { id, ...toPem(certified), other: toPem(OTHER), serverCa }
}

function toPem({ cert: certificate, key }: Certified) {
  return { certificate, key }
}
