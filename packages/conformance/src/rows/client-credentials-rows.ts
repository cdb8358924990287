// C46 to C48: tokens that a client gets for itself.

import { needsGrant, needsPublicClient, needsUser } from '../check-needs.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import { expectError, expectSuccess } from '../expect-answer.ts'
import { needsClientToken, readJwt } from '../issued-tokens.ts'
import { type TestedService, textOf } from '../tested-service.ts'
import { readClaims } from '../token-claims.ts'

export const CLIENT_CREDENTIALS_ROWS: readonly Check[] = [
  {
    row: 'C46',
    level: 'MUST',
    sentence: 'A public client gets no token of its own.',
    needs: [needsPublicClient, needsGrant('client_credentials')],
    async run(service) {
      const client = service.credentials.publicClient
      const answer = await service.post('token', { grant_type: 'client_credentials' }, client)
      // Where authentication comes first, a public client fails at that.
      const codes = ['unauthorized_client', 'invalid_client']
      expectError(answer, codes, 'client_credentials of a public client')
    },
  },
  {
    row: 'C47',
    level: 'SHOULD',
    sentence: 'client_credentials gives no refresh token.',
    needs: [needsClientToken],
    async run(service) {
      const { json } = await service.issueToClient()
      expect(json.refresh_token === undefined, 'client_credentials gave a refresh token')
    },
  },
  {
    row: 'C48',
    level: 'SHOULD',
    sentence: 'The sub of a client is that of no user and of no other client.',
    needs: [needsClientToken, needsUser],
    run: checkSubjects,
  },
]

async function checkSubjects(service: TestedService): Promise<void> {
  const { otherClient, user } = service.credentials
  const token = textOf((await service.issueToClient()).json.access_token) ?? ''
  const own = await readClaims(service, token)
  const login = await readClaims(service, (await service.logIn()).accessToken)
  expect(textOf(login.sub) !== undefined, 'the token of a login has no sub')
  if (textOf(own.sub) === undefined) {
    // RFC 9068 §2.2 asks for it in a JWT; introspection may leave it out (RFC 7662 §2.2).
    expect(!readJwt(token), "a client's own token has no sub")
    throw new NotApplicable("introspection tells no sub of a client's own token")
  }
  expect(own.sub !== login.sub, 'the sub of a client is that of a user')
  expect(own.sub !== user?.username, 'the sub of a client is the name of a user')
  if (!otherClient) return
  const answer = await service.post('token', { grant_type: 'client_credentials' }, otherClient)
  if (answer.json.error === 'unauthorized_client') return
  expectSuccess(answer, 'client_credentials of the second client')
  const other = await readClaims(service, textOf(answer.json.access_token) ?? '')
  expect(other.sub !== own.sub, 'two clients have the same sub')
}
