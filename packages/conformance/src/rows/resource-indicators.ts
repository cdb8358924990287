// C105: the resources that a token request may name (RFC 8707 §2).

import { needsUser } from '../check-needs.ts'
import { expect, NotApplicable } from '../conformance-check.ts'
import { expectError } from '../expect-answer.ts'
import type { Answer } from '../http-exchange.ts'
import { chooseRequest, requestResources, seenAudiences } from '../resource-requests.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'

const UNKNOWN = 'https://unknown.invalid/api'

export async function checkResourceIndicators(service: TestedService): Promise<void> {
  const { resource } = service.credentials
  const request = chooseRequest(service)
  const ask = async (...resources: string[]) => await requestResources(service, request, resources)
  const malformed = [`${resource ?? UNKNOWN}#fragment`, 'relative/path', '/absolute/path']
  const seen: (readonly [resource: string, answer: Answer])[] = []
  for (const one of [...malformed, UNKNOWN]) seen.push([one, await ask(one)])
  if (resource === undefined && !seen.some(([, answer]) => isTargetRefused(answer))) {
    await expectIgnored(service, seen, request.client)
  }
  for (const [one, answer] of seen) {
    // RFC 8707 §2 asks for invalid_target where the value is no URI, too, but does not demand it.
    const codes = one === UNKNOWN ? 'invalid_target' : ['invalid_target', 'invalid_request']
    expectError(answer, codes, `the resource ${one}`)
  }
  if (resource === undefined) return
  for (const resources of [[resource], [resource, resource]]) {
    const answer = await ask(...resources)
    const isOneOnly = resources.length > 1 && isTargetRefused(answer)
    const told = `${resources.length} resources were answered with ${describeAnswer(answer)}`
    expect(answer.status === 200 || isOneOnly, told)
    const audiences = await seenAudiences(service, answer, request.client)
    expect(
      audiences.every((one) => one === resource),
      `a token for ${resource} has the aud ${audiences.join(' ')}`,
    )
  }
  if (needsUser(service) === undefined) await expectNarrowing(service, resource)
}

/**
 * Never returns: CheckFailure when a token was made for one of the resources, else NotApplicable,
 * because the parameter is ignored.
 */
async function expectIgnored(
  service: TestedService,
  answers: readonly (readonly [resource: string, answer: Answer])[],
  client: ReturnType<typeof chooseRequest>['client'],
): Promise<never> {
  for (const [resource, answer] of answers) {
    const audiences = await seenAudiences(service, answer, client)
    expect(!audiences.includes(resource), `a token was made for ${resource}, whatever that is`)
  }
  throw new NotApplicable('the service does not know the parameter resource')
}

/** A refresh reaches what the login was granted, and nothing beside it. */
async function expectNarrowing(service: TestedService, resource: string): Promise<void> {
  const usual = await service.logIn()
  const others = await seenAudiences(service, usual.answer, usual.client)
  // Each time after a login of its own: a refusal may have spent the refresh token.
  const refresh = async (asked: string) => {
    const tokens = await service.logIn(usual.client, { resource })
    const answer = await service.refresh(tokens, { resource: asked })
    return { answer, audiences: await seenAudiences(service, answer, usual.client) }
  }
  const beyond = [UNKNOWN, ...others.map(String), service.issuer].filter((one) => one !== resource)
  for (const other of new Set(beyond)) {
    const { answer, audiences } = await refresh(other)
    const what = `a refresh for ${other}, which was not granted,`
    // Some do not look at the parameter there; what counts is what the token reaches.
    if (answer.status !== 200) expectError(answer, 'invalid_target', what)
    expect(!audiences.includes(other), `${what} gave a token for it`)
  }
  const { answer, audiences } = await refresh(resource)
  expect(answer.status === 200, `a refresh for ${resource} was ${describeAnswer(answer)}`)
  expect(
    audiences.every((one) => one === resource),
    `a refresh for ${resource} gave the aud ${audiences.join(' ')}`,
  )
}

function isTargetRefused({ json }: Answer): boolean {
  return json.error === 'invalid_target'
}
