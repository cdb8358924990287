// Fresh access tokens that introspection has to know, and the two shapes of its answers
// (RFC 7662 §2.2).

import { expect, NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import type { Answer } from './http-exchange.ts'
import { issueTokens } from './issued-tokens.ts'
import { describeAnswer, type TestedService } from './tested-service.ts'

export interface IntrospectedToken {
  readonly name: string
  readonly token: string
  /** Whom it was issued to, and who asks. */
  readonly client: TestedClient
}

/**
 * The tokens whose own client can introspect. NotApplicable when the endpoint takes none of them
 * (some take no JWTs), CheckFailure when it calls all of them inactive.
 */
export async function issueActiveTokens(
  service: TestedService,
): Promise<readonly IntrospectedToken[]> {
  const active: IntrospectedToken[] = []
  let seen = 0
  for (const { name, token, client } of await issueTokens(service)) {
    if (client.secret === undefined) continue
    const answer = await service.introspect(token, client)
    if (answer.json.error === 'unsupported_token_type') continue
    seen += 1
    expectAnswer(answer, name)
    if (answer.json.active !== false) active.push({ name, token, client })
  }
  if (seen === 0) throw new NotApplicable('introspection takes none of the tokens that can be had')
  expect(active.length > 0, 'introspection calls every fresh token inactive')
  return active
}

/** 200 and a boolean `active`. */
export function expectAnswer(answer: Answer, what: string): void {
  expect(answer.status === 200, `${what} was answered with ${describeAnswer(answer)}`)
  const { active } = answer.json
  expect(
    typeof active === 'boolean',
    `${what} was answered with an active that is ${typeof active}`,
  )
}

/** Not active, and nothing beside that. */
export function expectInactive(answer: Answer, what: string): void {
  expectAnswer(answer, what)
  expect(answer.json.active === false, `${what} is active`)
  const more = Object.keys(answer.json).find((member) => member !== 'active')
  expect(more === undefined, `${what} is inactive, but the answer has ${more}`)
}
