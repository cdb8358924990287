// C93: that introspection looks at everything before it says active (RFC 7662 §4).

import { needsEndpoint, needsUser } from '../check-needs.ts'
import { expect } from '../conformance-check.ts'
import { forgeClaims } from '../forged-tokens.ts'
import { type IntrospectedToken, issueActiveTokens } from '../introspected-tokens.ts'
import { readJwt } from '../issued-tokens.ts'
import { logInAndRefresh, nearMissesOf } from '../live-tokens.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'
import { isActive } from '../token-judges.ts'

export async function checkAllChecks(service: TestedService): Promise<void> {
  const tokens = await issueActiveTokens(service)
  const hasRevocation = needsEndpoint('revocation')(service) === undefined
  let isRevocable = false
  for (const token of tokens) {
    await expectChangedInactive(service, token)
    if (hasRevocation && (await expectRevokedInactive(service, token))) isRevocable = true
  }
  if (needsUser(service) !== undefined) return
  await expectUsedUpInactive(service)
  if (hasRevocation) await expectEndedInactive(service, isRevocable)
}

async function expectChangedInactive(
  service: TestedService,
  { name, token, client }: IntrospectedToken,
): Promise<void> {
  for (const changed of nearMissesOf(token)) {
    expect(!(await isActive(service, changed, client)), `${name} is active after a change`)
  }
  if (!readJwt(token)) return
  for (const forgery of await forgeClaims({ token, other: token, publicKey: undefined })) {
    const isTaken = await isActive(service, forgery.token, client)
    expect(!isTaken, `${name} is active ${forgery.name}`)
  }
}

/**
 * Revokes the token and demands that it is inactive; false where the service does not revoke access
 * tokens.
 */
async function expectRevokedInactive(
  service: TestedService,
  { name, token, client }: IntrospectedToken,
): Promise<boolean> {
  const answer = await service.revoke(token, client)
  if (answer.json.error === 'unsupported_token_type') return false
  expect(answer.status === 200, `revoking ${name} was answered with ${describeAnswer(answer)}`)
  expect(!(await isActive(service, token, client)), `${name} is active after its revocation`)
  return true
}

/** A refresh token from two steps ago: where it is called active, it has to work. */
async function expectUsedUpInactive(service: TestedService): Promise<void> {
  const generations = await logInAndRefresh(service)
  const [first] = generations
  if (!first || generations.length < 3) return
  if (!(await isActive(service, first.refreshToken, first.client))) return
  const answer = await service.refresh(first)
  expect(answer.status === 200, 'an old refresh token is active, but is refused when it is used')
}

/** The end of a grant; access tokens have to follow where they can be revoked (RFC 7009 §2.1). */
async function expectEndedInactive(service: TestedService, isRevocable: boolean): Promise<void> {
  const { accessToken, refreshToken, client } = await service.logIn()
  const answer = await service.revoke(refreshToken, client)
  expect(answer.status === 200, `a revocation was answered with ${describeAnswer(answer)}`)
  const isLeft = await isActive(service, refreshToken, client)
  expect(!isLeft, 'a refresh token is active after its revocation')
  if (!isRevocable) return
  const isAccessLeft = await isActive(service, accessToken, client)
  expect(!isAccessLeft, 'an access token is active after its grant was ended')
}
