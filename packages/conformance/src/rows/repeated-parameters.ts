// C3: every parameter of every kind of request, once too often.

import { needsUser } from '../check-needs.ts'
import type { TestedClient } from '../credentials.ts'
import { expectError, expectSuccess } from '../expect-answer.ts'
import { type Pairs, postPairs, toPairs } from '../form-request.ts'
import type { EndpointName, TestedService } from '../tested-service.ts'

interface Request {
  readonly name: EndpointName
  readonly what: string
  readonly pairs: Pairs
  readonly client: TestedClient | undefined
}

/** Repeats each parameter with the same value: whatever else is wrong with that is not the value. */
export async function checkRepeatedParameters(service: TestedService): Promise<void> {
  for (const { name, what, pairs, client } of await listRequests(service)) {
    for (const [index, [parameter, value]] of pairs.entries()) {
      const repeated = pairs.toSpliced(index, 0, [parameter, value])
      const answer = await postPairs(service, name, repeated, client)
      expectError(answer, 'invalid_request', `${parameter} twice in ${what}`)
    }
    const answer = await postPairs(service, name, pairs, client)
    expectSuccess(answer, `${what} without a repeated parameter`)
  }
}

async function listRequests(service: TestedService): Promise<readonly Request[]> {
  const { confidentialClient: client, scope, user } = service.credentials
  await service.issueToClient()
  const grant = { grant_type: 'client_credentials', scope }
  // Beside Basic the client's id may stand in the body, too.
  const inBody = client?.authMethod === 'client_secret_post' ? {} : { client_id: client?.id }
  const requests: Request[] = [
    { name: 'token', what: 'client_credentials', pairs: toPairs({ ...grant, ...inBody }), client },
  ]
  for (const name of ['revocation', 'introspection'] as const) {
    const pairs = toPairs({ token: 'conformance', token_type_hint: 'refresh_token' })
    if (service.endpoint(name)) requests.push({ name, what: name, pairs, client })
  }
  if (needsUser(service) !== undefined) return requests
  const { client: login, refreshToken } = await service.logIn()
  const token = { name: 'token', client: login } as const
  const own = login.secret === undefined ? { client_id: login.id } : {}
  // A public client's id is a parameter like the others, so it is not added once more.
  const sender = login.secret === undefined ? { ...token, client: undefined } : token
  const password = toPairs({ grant_type: 'password', ...user, scope, ...own })
  const refresh = toPairs({ grant_type: 'refresh_token', refresh_token: refreshToken, ...own })
  return [
    ...requests,
    { ...sender, what: 'a login', pairs: password },
    { ...sender, what: 'a refresh', pairs: refresh },
  ]
}
