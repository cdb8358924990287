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
  for (const token of tokens) await expectChangedInactive(service, token)
  if (needsEndpoint('revocation')(service) === undefined) {
    for (const token of tokens) await expectRevokedInactive(service, token)
  }
  if (needsUser(service) !== undefined) return
  await expectUsedUpInactive(service)
  if (needsEndpoint('revocation')(service) === undefined) await expectEndedInactive(service)
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

async function expectRevokedInactive(
  service: TestedService,
  { name, token, client }: IntrospectedToken,
): Promise<void> {
  const answer = await service.revoke(token, client)
  if (answer.json.error === 'unsupported_token_type') return
  expect(answer.status === 200, `revoking ${name} was answered with ${describeAnswer(answer)}`)
  expect(!(await isActive(service, token, client)), `${name} is active after its revocation`)
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

async function expectEndedInactive(service: TestedService): Promise<void> {
  const { refreshToken, client } = await service.logIn()
  const answer = await service.revoke(refreshToken, client)
  expect(answer.status === 200, `a revocation was answered with ${describeAnswer(answer)}`)
  const isLeft = await isActive(service, refreshToken, client)
  expect(!isLeft, 'a refresh token is active after its revocation')
}
