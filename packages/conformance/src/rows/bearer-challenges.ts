// C107 and C108: what a protected resource says to callers without a good token (RFC 6750 §3), and
// of itself (RFC 9728).

import {
  callResource,
  callWithQuery,
  challengeOf,
  isAccepted,
  issueForResource,
} from '../bearer-call.ts'
import { expect, NotApplicable } from '../conformance-check.ts'
import { scopeWords } from '../expect-answer.ts'
import type { Answer } from '../http-exchange.ts'
import { issueTokens } from '../issued-tokens.ts'
import { describeAnswer, type Parameters, type TestedService, textOf } from '../tested-service.ts'

export async function checkChallenges(service: TestedService): Promise<void> {
  const { token, parameters } = await issueForResource(service)
  const bare = await callResource(service, undefined)
  expectChallenge(bare, 401, 'a call without credentials')
  expect(!/\berror\s*=/i.test(challengeOf(bare)), 'the challenge without credentials has an error')
  for (const bad of ['unknown-token', `${token}A`, `A${token}`]) {
    const answer = await callResource(service, bad)
    expectChallenge(answer, 401, 'a bad token')
    expectErrorCode(answer, 'invalid_token', 'a bad token')
  }
  const inQuery = await callWithQuery(service, token)
  expect(!isAccepted(inQuery), 'the resource took a token in the query')
  await expectScopeTold(service, parameters)
}

/**
 * Where a token is taken with one scope and refused with another, demands 403 `insufficient_scope`.
 */
async function expectScopeTold(service: TestedService, parameters: Parameters): Promise<void> {
  const { wideScope } = service.credentials
  const wide = wideScope === undefined ? parameters : { ...parameters, scope: wideScope }
  const [usual] = await issueTokens(service, wide)
  const answersByKind = new Map<string, Answer[]>()
  for (const scope of scopeWords(usual?.answer.json.scope ?? wideScope)) {
    for (const { name, token } of await issueTokens(service, { ...parameters, scope })) {
      const answer = await callResource(service, token)
      answersByKind.set(name, [...(answersByKind.get(name) ?? []), answer])
    }
  }
  for (const answers of answersByKind.values()) {
    if (!answers.some(isAccepted)) continue
    for (const answer of answers.filter((one) => !isAccepted(one))) {
      expectChallenge(answer, 403, 'a token without the scope')
      expectErrorCode(answer, 'insufficient_scope', 'a token without the scope')
    }
  }
}

function expectChallenge(answer: Answer, status: number, what: string): void {
  const told = `${what} was answered with ${describeAnswer(answer)}`
  expect(answer.status === status, `${told}, not ${status}`)
  expect(/\b(bearer|dpop)\b/i.test(challengeOf(answer)), `${told} and no challenge for tokens`)
}

function expectErrorCode(answer: Answer, code: string, what: string): void {
  const found = /\berror\s*=\s*"?([\w.-]+)"?/i.exec(challengeOf(answer))?.[1]
  expect(found === code, `${what} has the error ${found ?? 'of nothing'} in its challenge`)
}

/** Throws NotApplicable where the resource has no metadata. */
export async function checkResourceMetadata(service: TestedService): Promise<void> {
  const { issuer, resourceUrl = '' } = service
  const told = /resource_metadata\s*=\s*"([^"]+)"/i.exec(
    challengeOf(await callResource(service, undefined)),
  )?.[1]
  const { origin, pathname } = new URL(resourceUrl)
  const path = pathname === '/' ? '' : pathname
  const url = told ?? `${origin}/.well-known/oauth-protected-resource${path}`
  expect(URL.canParse(url), 'resource_metadata is no URL')
  const answer = await service.send(url, {})
  const { resource, authorization_servers: servers } = answer.json
  const isThere = answer.status === 200 && textOf(resource) !== undefined
  if (told === undefined && !isThere) throw new NotApplicable('the resource has no metadata')
  expect(isThere, `resource_metadata points to ${describeAnswer(answer)}`)
  expect(resourceUrl.startsWith(String(resource)), `it is of the resource ${String(resource)}`)
  const isNamed = Array.isArray(servers) && servers.includes(issuer)
  expect(isNamed, 'the metadata of the resource does not name this issuer')
}
