// C52 and C53: rotation, and the reuse that it shows (RFC 9700 §4.14.2).

import { expect, NotApplicable } from '../conformance-check.ts'
import type { TestedClient } from '../credentials.ts'
import { expectError, expectSuccess } from '../expect-answer.ts'
import { type TestedService, type Tokens, textOf } from '../tested-service.ts'
import { readClaims } from '../token-claims.ts'

export async function checkRotation(service: TestedService): Promise<void> {
  const client = service.credentials.publicClient
  if (!client) throw new NotApplicable('no public client was given')
  const tokens = await service.logIn(client)
  const { cnf } = await readClaims(service, tokens.accessToken)
  if (cnf !== undefined) throw new NotApplicable('its tokens are bound to a key')
  const [first, second] = await rotateTwice(service, tokens)
  const seen = new Set([tokens.refreshToken, first.refreshToken, second.refreshToken])
  expect(seen.size === 3, 'a refresh token of a public client stays the same')
  // Two generations on, no lost answer explains it any more.
  const old = await service.refresh(tokens)
  expectError(old, 'invalid_grant', 'a refresh token that was replaced twice')
}

/**
 * The oldest of three, so that a service that forgives a repeated refresh does not forgive this one.
 * Public clients first: theirs must be rotated.
 */
export async function checkReuse(service: TestedService): Promise<void> {
  const tokens = await logInRotating(service)
  const [first, second] = await rotateTwice(service, tokens)
  const reused = await service.refresh(tokens)
  expectError(reused, 'invalid_grant', 'an old refresh token')
  for (const newer of [second, first]) {
    const answer = await service.refresh(newer)
    expectError(answer, 'invalid_grant', 'a newer refresh token, after an old one came back,')
  }
}

async function logInRotating(service: TestedService): Promise<Tokens> {
  const { publicClient, confidentialClient } = service.credentials
  const candidates: (TestedClient | undefined)[] = [publicClient, confidentialClient]
  for (const client of candidates) {
    if (!client) continue
    const tokens = await service.logIn(client).catch((error: unknown) => {
      if (error instanceof NotApplicable) return undefined
      throw error
    })
    if (!tokens) continue
    const answer = await service.refresh(tokens)
    expectSuccess(answer, 'a refresh')
    const next = textOf(answer.json.refresh_token)
    if (next !== undefined && next !== tokens.refreshToken) return await service.logIn(client)
  }
  throw new NotApplicable('no client that was given has its refresh tokens rotated')
}

async function rotateTwice(
  service: TestedService,
  tokens: Tokens,
): Promise<readonly [first: Tokens, second: Tokens]> {
  const first = await rotate(service, tokens)
  return [first, await rotate(service, first)]
}

async function rotate(service: TestedService, tokens: Tokens): Promise<Tokens> {
  const answer = await service.refresh(tokens)
  expectSuccess(answer, 'a refresh')
  return { ...tokens, refreshToken: textOf(answer.json.refresh_token) ?? tokens.refreshToken }
}
