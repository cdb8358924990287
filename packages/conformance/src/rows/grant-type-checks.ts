// C8: one code for each way in which a grant type is wrong (RFC 6749 §5.2).

import { needsGrant } from '../check-needs.ts'
import type { TestedClient } from '../credentials.ts'
import { expectError } from '../expect-answer.ts'
import type { Parameters, TestedService } from '../tested-service.ts'

const UNKNOWN = ['conformance', 'urn:example:conformance', 'Client_Credentials', 'implicit']

/**
 * Requests that are wrong in all but their form, and the codes for a client that may use the grant
 * and for one that may not.
 */
const PROBES: readonly (readonly [Parameters, codes: readonly string[]])[] = [
  [
    { grant_type: 'refresh_token', refresh_token: 'conformance' },
    ['invalid_grant', 'unauthorized_client'],
  ],
  [
    { grant_type: 'password', username: 'conformance-nobody', password: 'conformance' },
    ['invalid_grant', 'unauthorized_client'],
  ],
]

export async function checkGrantTypes(service: TestedService): Promise<void> {
  const { confidentialClient, otherClient, publicClient } = service.credentials
  const missing = await service.post('token', { scope: 'x' }, confidentialClient)
  expectError(missing, 'invalid_request', 'a request without grant_type')
  for (const grantType of UNKNOWN) {
    const answer = await service.post('token', { grant_type: grantType }, confidentialClient)
    expectError(answer, 'unsupported_grant_type', `the grant type ${grantType}`)
  }
  for (const client of [confidentialClient, otherClient, publicClient]) {
    if (client) await checkKnownGrantTypes(service, client)
  }
}

/** We do not know which grants a client may use, only which codes a refusal may have. */
async function checkKnownGrantTypes(service: TestedService, client: TestedClient): Promise<void> {
  for (const [parameters, codes] of PROBES) {
    const { grant_type: grantType = '' } = parameters
    if (needsGrant(grantType)(service) !== undefined) continue
    const answer = await service.post('token', parameters, client)
    expectError(answer, codes, `the grant ${grantType} of a client`)
  }
  if (needsGrant('client_credentials')(service) !== undefined) return
  const answer = await service.post('token', { grant_type: 'client_credentials' }, client)
  if (answer.status === 200 && client.secret !== undefined) return
  // A public client fails at authentication where that comes first.
  const codes =
    client.secret === undefined
      ? ['unauthorized_client', 'invalid_client']
      : ['unauthorized_client']
  expectError(answer, codes, 'client_credentials of a client that may not')
}
