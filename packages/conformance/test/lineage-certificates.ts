// What the scene of Lineage has for clients with certificates: a second listener of the same service,
// which ends TLS, and a client for each of the two methods.

import { createPublicKey } from 'node:crypto'
import type { JWK } from 'jose'
import type { Test } from 'tap'
import type { ClientInput } from '../../../src/clients/client-draft.ts'
import type { ServiceConfig } from '../../../src/config/service-config.ts'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { makeTlsFolder, SERVER_CA } from '../../../test/scenes/tls-scene.ts'
import { makeSelfSigned } from '../../../test/support/certificates.ts'
import type { CertificateClient } from '../src/credentials.ts'
import { CLIENT_CA, certifyClient, describeCertified } from './tested-certificates.ts'

const SELF_SIGNED = makeSelfSigned({ subject: [['CN', 'tested-self-signed']] })

/** Where the second listener is, and its files. */
export async function planTlsListener(
  t: Test,
): Promise<{ tlsPort: number; config: Pick<ServiceConfig, 'tls' | 'mtlsOrigin'> }> {
  const tlsPort = await findFreePort()
  const tls = makeTlsFolder(t, [CLIENT_CA]).files
  return { tlsPort, config: { tls, mtlsOrigin: `https://127.0.0.1:${tlsPort}` } }
}

export interface CertificateClients {
  readonly certificateClient: CertificateClient
  /** The same by a key of its own in place of a name. */
  readonly selfSignedClient: CertificateClient
}

/** Makes the two clients with certificates. */
export async function makeCertificateClients(
  make: (id: string, input: Partial<ClientInput>) => Promise<{ id: string }>,
): Promise<CertificateClients> {
  const certificateClient = { ...certifyClient('tested-certificate'), serverCa: SERVER_CA.cert }
  const selfSignedClient = describeCertified('tested-self-signed', SELF_SIGNED, SERVER_CA.cert)
  const bound = { grantTypes: ['client_credentials'], tlsClientCertificateBoundAccessTokens: true }
  await make(certificateClient.id, {
    ...bound,
    authMethods: ['tls_client_auth'],
    tlsClientAuth: { subjectDn: `CN=${certificateClient.id}` },
  })
  const jwk = createPublicKey(SELF_SIGNED.privateKey).export({ format: 'jwk' }) as JWK
  await make(selfSignedClient.id, {
    ...bound,
    authMethods: ['self_signed_tls_client_auth'],
    jwks: { keys: [jwk] },
  })
  return { certificateClient, selfSignedClient }
}
