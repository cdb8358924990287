// C24 to C30 and C38: how a client shows who it is, and what counts for nothing.

import { needsClient, needsFlood } from '../check-needs.ts'
import { basicCredentials } from '../client-login.ts'
import { type Check, NotApplicable } from '../conformance-check.ts'
import type { ConfidentialClient } from '../credentials.ts'
import { expectError, expectSuccess } from '../expect-answer.ts'
import { postBody } from '../form-request.ts'
import { needsClientToken } from '../issued-tokens.ts'
import type { TestedService } from '../tested-service.ts'
import { checkBadBasic, checkBasicEncoding } from './basic-checks.ts'
import { checkSecretGuessing } from './secret-guessing.ts'
import { checkForgedIdentity, checkMissingCredentials } from './unproven-clients.ts'

const GRANT = { grant_type: 'client_credentials' }

export const CLIENT_AUTH_ROWS: readonly Check[] = [
  {
    row: 'C24',
    level: 'MUST',
    sentence: 'A client that authenticates in two ways at once is refused.',
    needs: [needsClientToken],
    run: checkTwoMechanisms,
  },
  {
    row: 'C25',
    level: 'MUST',
    sentence: 'HTTP Basic works, and id and secret are form-decoded after base64.',
    needs: [needsClientToken],
    run: checkBasicEncoding,
  },
  {
    row: 'C26',
    level: 'MUST',
    sentence: 'A malformed Authorization header is a clean error.',
    needs: [needsClientToken],
    run: checkBadBasic,
  },
  {
    row: 'C27',
    level: 'MUST',
    sentence: 'A client_id in the body other than that of the credentials is refused.',
    needs: [needsClientToken],
    run: checkOtherClientId,
  },
  {
    row: 'C28',
    level: 'MUST',
    sentence:
      'A confidential client is refused without its credentials, at every grant and endpoint.',
    needs: [needsClient],
    guesses: true,
    run: checkMissingCredentials,
  },
  {
    row: 'C29',
    level: 'MUST',
    sentence:
      'Client secrets cannot be guessed without end, and nobody learns which clients exist.',
    needs: [needsFlood, needsClientToken],
    run: checkSecretGuessing,
  },
  {
    row: 'C30',
    level: 'SHOULD',
    sentence: 'Two secrets of a client work at the same time, so that one can replace the other.',
    needs: [needsClientToken, needsSecondSecret],
    async run(service) {
      const client = service.credentials.confidentialClient
      await service.issueToClient()
      const other = { ...client, id: client?.id ?? '', secret: client?.secondSecret ?? '' }
      expectSuccess(await service.post('token', GRANT, other), 'the second secret')
      await service.issueToClient()
    },
  },
]

export const FORGED_IDENTITY_ROWS: readonly Check[] = [
  {
    row: 'C38',
    level: 'MUST',
    sentence:
      'Headers that name an identity or a certificate prove nothing when they come from outside.',
    needs: [needsClient],
    guesses: true,
    run: checkForgedIdentity,
  },
]

function needsSecondSecret({ credentials }: TestedService): string | undefined {
  const isGiven = credentials.confidentialClient?.secondSecret !== undefined
  return isGiven ? undefined : 'no client with two secrets was given'
}

async function checkTwoMechanisms(service: TestedService): Promise<void> {
  await service.issueToClient()
  const { id, secret } = clientOf(service)
  const headers = [['Authorization', basicCredentials(id, secret)]] as const
  const post = (more: Record<string, string>) =>
    postBody(service, 'token', {
      body: new URLSearchParams({ ...GRANT, client_id: id, ...more }).toString(),
      headers,
    })
  expectError(await post({ client_secret: secret }), 'invalid_request', 'Basic and client_secret')
  const wrong = await post({ client_secret: 'conformance' })
  expectError(wrong, ['invalid_request', 'invalid_client'], 'Basic and a wrong client_secret')
  const methods = service.metadata.token_endpoint_auth_methods_supported
  const takesAssertions =
    Array.isArray(methods) && methods.some((name) => /_jwt$/.test(String(name)))
  // A service without assertions may take the parameter for one that it does not know.
  if (!takesAssertions) return
  const assertion = {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: 'e30.e30.AA',
  }
  expectError(await post(assertion), 'invalid_request', 'Basic and an assertion')
}

async function checkOtherClientId(service: TestedService): Promise<void> {
  await service.issueToClient()
  const { otherClient, publicClient } = service.credentials
  const { id, secret } = clientOf(service)
  const headers = [['Authorization', basicCredentials(id, secret)]] as const
  const ids = [otherClient?.id, publicClient?.id, 'conformance-nobody', `${id}x`]
  for (const other of ids.filter((one) => one !== undefined)) {
    const body = new URLSearchParams({ ...GRANT, client_id: other }).toString()
    const answer = await postBody(service, 'token', { body, headers })
    const codes = ['invalid_request', 'invalid_client', 'unauthorized_client']
    expectError(answer, codes, "another client's id beside Basic")
  }
}

function clientOf({ credentials }: TestedService): ConfidentialClient {
  const client = credentials.confidentialClient
  if (!client) throw new NotApplicable('no confidential client was given')
  return client
}
