// C7: what belongs into the body, put into the URL, where logs and histories keep it. The secrets are
// real, so that a service that reads them there is found out.

import { needsUser } from '../check-needs.ts'
import { expect } from '../conformance-check.ts'
import { expectRefused, expectSuccess } from '../expect-answer.ts'
import { postBody } from '../form-request.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'

export async function checkQueryParameters(service: TestedService): Promise<void> {
  await service.issueToClient()
  const client = service.credentials.confidentialClient
  const { id = '', secret = '' } = client ?? {}
  const body = 'grant_type=client_credentials'
  const credentials = toQuery({ client_id: id, client_secret: secret })
  expectRefused(
    await postBody(service, 'token', { body, query: credentials }),
    'a secret in the URL',
  )
  const grant = await postBody(service, 'token', { body: '', query: body, client })
  expectRefused(grant, 'a grant type in the URL')
  if (needsUser(service) === undefined) await checkUserParameters(service)
}

async function checkUserParameters(service: TestedService): Promise<void> {
  const tokens = await service.logIn()
  const { client, refreshToken } = tokens
  const { username = '', password = '' } = service.credentials.user ?? {}
  const own = client.secret === undefined ? { client_id: client.id } : {}
  const withClient = (parameters: Record<string, string>) => toQuery({ ...parameters, ...own })
  const refresh = await postBody(service, 'token', {
    body: withClient({ grant_type: 'refresh_token' }),
    query: toQuery({ refresh_token: refreshToken }),
    client,
  })
  expectRefused(refresh, 'a refresh token in the URL')
  const login = await postBody(service, 'token', {
    body: withClient({ grant_type: 'password', username }),
    query: toQuery({ password }),
    client,
  })
  expectRefused(login, 'a password in the URL')
  if (service.endpoint('revocation')) {
    const query = toQuery({ token: refreshToken })
    const revoked = await postBody(service, 'revocation', { body: withClient({}), query, client })
    expect(revoked.status < 500, `a token in the URL was answered with ${describeAnswer(revoked)}`)
    expectSuccess(await service.refresh(tokens), 'a refresh after a revocation in the URL')
  }
}

function toQuery(parameters: Record<string, string>): string {
  return new URLSearchParams(parameters).toString()
}
