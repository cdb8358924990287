// C37: clients that prove themselves by a certificate (tls_client_auth, self_signed_tls_client_auth).

import {
  certifiedTokenUrl,
  expectTurnedAway,
  needsCertificates,
  postCertified,
} from '../certified-request.ts'
import { type Check, NotApplicable } from '../conformance-check.ts'
import type { CertificateClient, CertifiedKey } from '../credentials.ts'
import { makeImpostor } from '../impostor-certificate.ts'
import type { TestedService } from '../tested-service.ts'
import { checkBoundRefresh, expectCertificateNamed, expectServed } from './certificate-binding.ts'

const GRANT = { grant_type: 'client_credentials' }

export const CERTIFICATE_ROWS: readonly Check[] = [
  {
    row: 'C37',
    level: 'MUST',
    sentence: 'A certificate counts only for the client that registered it, and binds its tokens.',
    needs: [needsCertificates],
    run: checkCertificates,
  },
]

async function checkCertificates(service: TestedService): Promise<void> {
  const { certificateClient: client } = service.credentials
  if (!client) throw new NotApplicable('no client with a certificate was given')
  const strangers = [makeImpostor(client), ...(client.other ? [client.other] : [])]
  await requireToken(service, client)
  await refuseOthers(service, client, strangers)
  const isBindingSeen = await requireToken(service, client)
  await checkBoundRefresh(service, client, strangers)
  if (!isBindingSeen) throw new NotApplicable('nobody shows what the tokens are bound to')
}

/** Without its own certificate nobody is the client, and with it nobody is another one. */
async function refuseOthers(
  service: TestedService,
  client: CertificateClient,
  [impostor, ...others]: readonly CertifiedKey[],
): Promise<void> {
  const { confidentialClient, otherClient, assertionClient } = service.credentials
  const ask = (id: string, certified?: CertifiedKey) =>
    postCertified(service, { ...GRANT, client_id: id }, certified, client)
  const refuse = async (what: string, id: string, certified?: CertifiedKey) =>
    expectTurnedAway(await ask(id, certified), 'invalid_client', what)
  await refuse('a client without its certificate', client.id)
  if (service.endpoint('token') !== certifiedTokenUrl(service)) {
    const plain = await service.post('token', GRANT, { id: client.id })
    expectTurnedAway(plain, 'invalid_client', 'a client where no certificate is asked for')
  }
  await refuse('a forged certificate with the right names', client.id, impostor)
  for (const other of others) await refuse("somebody else's certificate", client.id, other)
  for (const { id } of [confidentialClient, otherClient, assertionClient].filter((one) => !!one)) {
    await refuse("a certificate with another client's id", id, client)
  }
}

/** False when it cannot be seen what the token is bound to, if to anything. */
async function requireToken(service: TestedService, client: CertificateClient): Promise<boolean> {
  const parameters = { ...GRANT, client_id: client.id }
  const answer = await postCertified(service, parameters, client, client)
  if (answer?.json.error === 'unauthorized_client') {
    throw new NotApplicable(
      'the client with a certificate may not use the grant client_credentials',
    )
  }
  expectServed(answer, 'a client with its certificate')
  // RFC 8705 §3.3: without this member nothing is bound.
  if (service.metadata.tls_client_certificate_bound_access_tokens !== true) return true
  return await expectCertificateNamed(service, answer, client)
}
