// self_signed_tls_client_auth: a certificate whose key is one of the client's, whoever has signed it
// (RFC 8705 §2.2).

import type { VerificationKey } from '../assertions/verification-key.ts'
import type { AuthenticationMethod } from './authentication-method.ts'
import { checkCertificate } from './check-certificate.ts'
import { keySourceOf } from './client-key-source.ts'
import { none } from './none.ts'

export const selfSignedTlsClientAuth: AuthenticationMethod = {
  method: 'self_signed_tls_client_auth',
  proof: 'key',
  byCertificate: true,
  findLack: ({ jwks, jwksUri }) => (jwks || jwksUri ? undefined : 'needs jwks or jwksUri'),
  read: none.read,
  async authenticate(_proof, client, { assertions, clock }, { certificate }) {
    const checked = checkCertificate(certificate(), clock)
    if ('refusal' in checked) return checked.refusal
    const shown = checked.certificate.publicKey()
    const source = client && keySourceOf(client, assertions.remoteKeys)
    if (!shown || !source) return 'client_certificate_key_unknown'
    const isAmong = (keys: readonly VerificationKey[] | undefined) =>
      keys?.some(({ object }) => object.equals(shown)) ?? false
    // A key that is new at its place is looked for once more.
    if (isAmong(await source.current()) || isAmong(await source.renewed())) return undefined
    return 'client_certificate_key_unknown'
  },
}
