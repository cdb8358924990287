// What checks demand of an answer, in words that say what was seen. Where the standard leaves a
// status open, each of those that it allows is taken.

import { expect } from './conformance-check.ts'
import type { Answer } from './http-exchange.ts'
import { describeAnswer, textOf } from './tested-service.ts'

/**
 * An error with one of these codes and its status: 400, or for `invalid_client` 400 or 401
 * (RFC 6749 §5.2). `what` is what was sent, at the start of the message.
 */
export function expectError(answer: Answer, codes: string | readonly string[], what: string): void {
  const wanted = typeof codes === 'string' ? [codes] : codes
  const code = textOf(answer.json.error)
  expect(
    code !== undefined && wanted.includes(code),
    `${what} was answered with ${describeAnswer(answer)}, not ${wanted.join(' or ')}`,
  )
  const statuses = code === 'invalid_client' ? [400, 401] : [400]
  expect(statuses.includes(answer.status), `${what} was answered with ${describeAnswer(answer)}`)
}

/** Any clean refusal: a 4xx and no token. */
export function expectRefused(answer: Answer, what: string): void {
  const isRefused = answer.status >= 400 && answer.status < 500
  expect(isRefused, `${what} was answered with ${describeAnswer(answer)}, not refused`)
  expect(answer.json.access_token === undefined, `${what} was refused, yet with a token`)
}

export function expectSuccess(answer: Answer, what: string): void {
  expect(answer.status === 200, `${what} was answered with ${describeAnswer(answer)}, not 200`)
}

/** The words of a scope, sorted, doubles kept. */
export function scopeWords(scope: unknown): string[] {
  return (textOf(scope) ?? '')
    .split(' ')
    .filter((word) => word !== '')
    .sort()
}

export function hasSameScope(one: unknown, other: unknown): boolean {
  return scopeWords(one).join(' ') === scopeWords(other).join(' ')
}
