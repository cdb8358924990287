// C28 and C38: a client's name without its proof, alone or with headers that only a proxy may set.

import { needsEndpoint, needsGrant, needsUser } from '../check-needs.ts'
import { basicCredentials } from '../client-login.ts'
import { expect } from '../conformance-check.ts'
import { expectSuccess } from '../expect-answer.ts'
import type { Answer, HeaderList } from '../http-exchange.ts'
import {
  describeAnswer,
  type EndpointName,
  type Parameters,
  type TestedService,
} from '../tested-service.ts'

const FORGED: HeaderList = [
  ['Client-Cert', ':MIIB:'],
  ['SSL-Client-Cert', 'MIIB'],
  ['X-SSL-Client-Cert', 'MIIB'],
  ['X-SSL-Client-Verify', 'SUCCESS'],
  ['X-SSL-Client-S-DN', 'CN=conformance'],
  ['X-Client-Verify', 'SUCCESS'],
  ['X-Forwarded-Client-Cert', 'Subject="CN=conformance"'],
]
const IDENTITY_HEADERS = [
  'Remote-User',
  'X-Remote-User',
  'X-Forwarded-User',
  'X-Authenticated-User',
  'X-User',
  'X-Client-Id',
  'X-Auth-Client',
  'X-Auth-Subject',
]

export async function checkMissingCredentials(service: TestedService): Promise<void> {
  await refuseEverywhere(service, [])
  if (needsUser(service) !== undefined) return
  const tokens = await service.logIn()
  const { client, refreshToken } = tokens
  if (client.secret === undefined) return
  const parameters = { client_id: client.id, token: refreshToken }
  if (needsEndpoint('revocation')(service) === undefined) {
    expectRefusedClient(await service.post('revocation', parameters, undefined), 'a revocation')
  }
  const refresh = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: client.id }
  expectRefusedClient(await service.post('token', refresh, undefined), 'a refresh')
  expectSuccess(await service.refresh(tokens), 'a refresh with the credentials, after all of that')
}

export async function checkForgedIdentity(service: TestedService): Promise<void> {
  const id = service.credentials.confidentialClient?.id ?? ''
  const username = service.credentials.user?.username ?? id
  const identities = IDENTITY_HEADERS.map(
    (name) => [name, /client/i.test(name) ? id : username] as const,
  )
  const headers = [...FORGED, ...identities]
  await refuseEverywhere(service, headers)
  if (service.resourceUrl === undefined) return
  const answer = await service.send(service.resourceUrl, { headers })
  const isRefused = answer.status === 401 || answer.status === 403
  expect(isRefused, `the resource answered forged headers with the status ${answer.status}`)
}

/** Every kind of request of the confidential client, by its id alone or with a wrong secret. */
async function refuseEverywhere(service: TestedService, headers: HeaderList): Promise<void> {
  const { confidentialClient, user } = service.credentials
  const id = confidentialClient?.id ?? ''
  const requests: [EndpointName, string, Parameters][] = [
    ['token', 'client_credentials', { grant_type: 'client_credentials' }],
    ['token', 'refresh_token', { grant_type: 'refresh_token', refresh_token: 'conformance' }],
    ['token', 'password', { grant_type: 'password', ...user }],
    ['revocation', 'a revocation', { token: 'conformance' }],
    ['introspection', 'an introspection', { token: 'conformance' }],
  ]
  for (const [name, what, parameters] of requests) {
    const grantType = parameters.grant_type
    if (grantType !== undefined && needsGrant(grantType)(service) !== undefined) continue
    if (!service.endpoint(name)) continue
    const named = { ...parameters, client_id: id }
    expectRefusedClient(await service.post(name, named, undefined, headers), what)
    const wrong = [...headers, ['Authorization', basicCredentials(id, 'conformance')] as const]
    expectRefusedClient(
      await service.post(name, named, undefined, wrong),
      `${what} by a wrong secret`,
    )
  }
}

/** Also 403 of an introspection endpoint, whose errors are its own (RFC 7662 §2.3). */
function expectRefusedClient(answer: Answer, what: string): void {
  const isRefused = [400, 401, 403].includes(answer.status)
  expect(isRefused, `${what} without proof was answered with ${describeAnswer(answer)}`)
}
