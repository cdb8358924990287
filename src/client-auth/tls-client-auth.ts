// tls_client_auth: a certificate of an authority that is trusted for clients, and in it the one name that
// the client has registered (RFC 8705 §2.1).

import { type CertificateNames, readCertificateNames } from '../certificates/certificate-names.ts'
import { parseDistinguishedName } from '../certificates/distinguished-name.ts'
import type { TlsClientAuth } from '../clients/client-settings.ts'
import { parseIpAddress } from '../runtime/ip-address.ts'
import type { AuthenticationMethod } from './authentication-method.ts'
import { checkCertificate } from './check-certificate.ts'
import { none } from './none.ts'

export const tlsClientAuth: AuthenticationMethod = {
  method: 'tls_client_auth',
  proof: 'key',
  byCertificate: true,
  read: none.read,
  authenticate(_proof, client, { clock }, { certificate }) {
    const checked = checkCertificate(certificate(), clock)
    if ('refusal' in checked) return checked.refusal
    if (!checked.isChainTrusted) return 'client_certificate_untrusted'
    const names = readCertificateNames(checked.certificate.raw)
    if (!names) return 'client_certificate_unreadable'
    const wanted = client?.tlsClientAuth
    return wanted && isNamed(wanted, names) ? undefined : 'client_certificate_name_wrong'
  },
}

/** Whether the certificate has the name. Wildcards stand for nothing, and no name for another kind. */
function isNamed(wanted: TlsClientAuth, names: CertificateNames): boolean {
  const { subjectDn, sanDns, sanUri, sanIp, sanEmail } = wanted
  if (subjectDn !== undefined) return parseDistinguishedName(subjectDn) === names.subject
  if (sanDns !== undefined) return names.dns.some((name) => isSameHost(name, sanDns))
  if (sanUri !== undefined) return names.uris.includes(sanUri)
  if (sanIp !== undefined) return names.ips.includes(parseIpAddress(sanIp) ?? '-')
  return sanEmail !== undefined && names.emails.some((name) => isSameMailbox(name, sanEmail))
}

/** In ASCII, where case does not count (RFC 5280 §7.2). */
function isSameHost(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** RFC 5280 §7.5: case counts before the at sign, and not behind it. */
function isSameMailbox(one: string, other: string): boolean {
  const split = (address: string) => [
    address.slice(0, address.lastIndexOf('@')),
    address.slice(address.lastIndexOf('@') + 1),
  ]
  const [[local = '', host = ''], [otherLocal = '', otherHost = '']] = [split(one), split(other)]
  return local === otherLocal && isSameHost(host, otherHost)
}
