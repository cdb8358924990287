// C55: the two ends of a refresh token, waited for at a client that has them soon.

import { setTimeout as delay } from 'node:timers/promises'
import { expect, type Need } from '../conformance-check.ts'
import { expectError } from '../expect-answer.ts'
import { type TestedService, textOf } from '../tested-service.ts'

/** Within the time that a check may take. */
const ABSOLUTE_SECONDS_MAX = 20
const MARGIN_MS = 1_200

export const needsExpiringClient: Need = ({ credentials }) => {
  const client = credentials.expiringClient
  if (!client) return 'no client whose refresh tokens end soon was given'
  const isSoon = client.absoluteSeconds <= ABSOLUTE_SECONDS_MAX
  return isSoon ? undefined : `its refresh tokens live for over ${ABSOLUTE_SECONDS_MAX} s`
}

export async function checkExpiry(service: TestedService): Promise<void> {
  const client = service.credentials.expiringClient
  if (!client) return
  await Promise.all([
    checkIdle(service, client.idleSeconds * 1000),
    checkAbsolute(service, client.idleSeconds * 1000, client.absoluteSeconds * 1000),
  ])
}

async function checkIdle(service: TestedService, idleMs: number): Promise<void> {
  const tokens = await service.logIn(service.credentials.expiringClient)
  await delay(idleMs + MARGIN_MS)
  const answer = await service.refresh(tokens)
  expectError(answer, 'invalid_grant', 'a refresh token that nobody used for too long')
}

/** Kept in use, so that it is the absolute end which ends it. */
async function checkAbsolute(
  service: TestedService,
  idleMs: number,
  absoluteMs: number,
): Promise<void> {
  let tokens = await service.logIn(service.credentials.expiringClient)
  const startedMs = performance.now()
  for (;;) {
    await delay(idleMs / 2)
    const ageMs = performance.now() - startedMs
    const answer = await service.refresh(tokens)
    if (answer.status === 200) {
      expect(ageMs < absoluteMs + MARGIN_MS, 'a refresh token in use outlives its absolute end')
      tokens = { ...tokens, refreshToken: textOf(answer.json.refresh_token) ?? tokens.refreshToken }
      continue
    }
    expectError(answer, 'invalid_grant', 'a refresh token past its absolute end')
    expect(ageMs > absoluteMs - MARGIN_MS, 'a refresh token in use ends before its absolute end')
    return
  }
}
