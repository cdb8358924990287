// C20: whatever is wrong with a login or a refresh token, the code is the same.

import { needsEndpoint, needsGrant, needsUser } from '../check-needs.ts'
import { NotApplicable } from '../conformance-check.ts'
import { expectError, expectSuccess } from '../expect-answer.ts'
import type { TestedService } from '../tested-service.ts'

const UNKNOWN_TOKENS = ['conformance', 'a.b.c', `lrt_${'A'.repeat(94)}`, 'ü', '0'.repeat(2_000)]

export async function checkInvalidGrants(service: TestedService): Promise<void> {
  if (needsUser(service) === undefined) {
    await checkLogins(service)
    await checkKnownTokens(service)
    return
  }
  const reason = needsGrant('refresh_token')(service)
  if (reason !== undefined) throw new NotApplicable(reason)
  const client = service.credentials.confidentialClient
  for (const token of UNKNOWN_TOKENS) {
    const refresh = { grant_type: 'refresh_token', refresh_token: token }
    const answer = await service.post('token', refresh, client)
    if (answer.json.error === 'unauthorized_client') {
      throw new NotApplicable('the confidential client may not use the grant refresh_token')
    }
    expectError(answer, 'invalid_grant', 'an unknown refresh token')
  }
}

async function checkLogins(service: TestedService): Promise<void> {
  const { client } = await service.logIn()
  const username = service.credentials.user?.username ?? ''
  const wrong = { grant_type: 'password', username, password: 'conformance' }
  expectError(await service.post('token', wrong, client), 'invalid_grant', 'a wrong password')
  const unknown = { ...wrong, username: 'conformance-nobody' }
  expectError(await service.post('token', unknown, client), 'invalid_grant', 'an unknown user')
}

async function checkKnownTokens(service: TestedService): Promise<void> {
  const tokens = await service.logIn()
  const { client, accessToken } = tokens
  for (const refreshToken of [...UNKNOWN_TOKENS, accessToken]) {
    const answer = await service.refresh({ ...tokens, refreshToken })
    expectError(answer, 'invalid_grant', 'an unknown refresh token')
  }
  const { otherClient, confidentialClient } = service.credentials
  for (const other of [otherClient, confidentialClient]) {
    if (!other || other.id === client.id) continue
    const foreign = await service.refresh({ ...tokens, client: other })
    if (foreign.json.error !== 'unauthorized_client') {
      expectError(foreign, 'invalid_grant', "another client's refresh token")
    }
  }
  if (needsEndpoint('revocation')(service) !== undefined) return
  expectSuccess(await service.revoke(tokens.refreshToken, client), 'a revocation')
  expectError(await service.refresh(tokens), 'invalid_grant', 'a revoked refresh token')
}
