// C59 to C61: what happens at the same time, and what was lost on the way. No standard decides these:
// they are what Lineage promises, asked of whoever is tested.

import { setTimeout as delay } from 'node:timers/promises'
import { needsEndpoint, needsUser } from '../check-needs.ts'
import { type Check, expect } from '../conformance-check.ts'
import { expectError, expectSuccess } from '../expect-answer.ts'
import { describeAnswer, type TestedService, type Tokens, textOf } from '../tested-service.ts'

const PARALLEL = 8
const PARALLEL_ROUNDS = 4
const RETRIES = 3
const REVOKE_ROUNDS = 12
/** How far apart the two racers start, at the most. */
const HEAD_START_MS = 6

export const RACE_ROWS: readonly Check[] = [
  {
    row: 'C59',
    level: 'product',
    sentence:
      'Refreshes of one token at the same time make one successor, and none is taken for theft.',
    needs: [needsUser],
    async run(service) {
      for (let round = 0; round < PARALLEL_ROUNDS; round += 1) await raceRefreshes(service)
    },
  },
  {
    row: 'C60',
    level: 'product',
    sentence: 'A client that lost the answer to its refresh repeats it, and goes on.',
    needs: [needsUser],
    run: checkLostAnswers,
  },
  {
    row: 'C61',
    level: 'product',
    sentence:
      'After the answer to a revocation no token of the login works, whatever ran beside it.',
    needs: [needsUser, needsEndpoint('revocation')],
    async run(service) {
      for (let round = 0; round < REVOKE_ROUNDS; round += 1) await raceRevocation(service, round)
    },
  },
]

/** Some may be refused, as long as the one successor lives on. */
async function raceRefreshes(service: TestedService): Promise<void> {
  const tokens = await service.logIn()
  const answers = await Promise.all(Array.from({ length: PARALLEL }, () => service.refresh(tokens)))
  const broken = answers.find(({ status }) => status >= 500)
  expect(!broken, `a parallel refresh was answered with ${broken ? describeAnswer(broken) : ''}`)
  const successes = answers.filter(({ status }) => status === 200)
  expect(successes.length > 0, `all of ${PARALLEL} parallel refreshes were refused`)
  const successors = new Set(
    successes.map(({ json }) => textOf(json.refresh_token) ?? tokens.refreshToken),
  )
  expect(successors.size === 1, `parallel refreshes made ${successors.size} successors`)
  const [refreshToken = ''] = successors
  const next = await service.refresh({ ...tokens, refreshToken })
  expectSuccess(next, 'the successor that parallel refreshes made')
}

async function checkLostAnswers(service: TestedService): Promise<void> {
  let tokens = await service.logIn()
  for (let round = 0; round < RETRIES; round += 1) {
    // Its answer is taken for lost: nothing that it holds is used.
    expectSuccess(await service.refresh(tokens), 'a refresh')
    const repeated = await service.refresh(tokens)
    expectSuccess(repeated, 'the repetition of a refresh whose answer was lost')
    const refreshToken = textOf(repeated.json.refresh_token)
    expect(refreshToken !== undefined, 'a repeated refresh gave no refresh token')
    tokens = { ...tokens, refreshToken }
  }
  expectSuccess(await service.refresh(tokens), 'a refresh after repeated ones')
}

async function raceRevocation(service: TestedService, round: number): Promise<void> {
  const tokens = await service.logIn()
  const headStartMs = (round % 4) * (HEAD_START_MS / 3)
  const [refreshed, revoked] = await Promise.all([
    delay(round % 2 === 0 ? headStartMs : 0).then(() => service.refresh(tokens)),
    delay(round % 2 === 0 ? 0 : headStartMs).then(() =>
      service.revoke(tokens.refreshToken, tokens.client),
    ),
  ])
  expectSuccess(revoked, 'a revocation')
  const all = [tokens]
  if (refreshed.status === 200) {
    const accessToken = textOf(refreshed.json.access_token) ?? ''
    const refreshToken = textOf(refreshed.json.refresh_token) ?? tokens.refreshToken
    all.push({ ...tokens, accessToken, refreshToken })
  } else {
    expectError(refreshed, 'invalid_grant', 'a refresh beside a revocation')
  }
  for (const { accessToken, refreshToken } of all) {
    const again = await service.refresh({ ...tokens, refreshToken })
    expectError(again, 'invalid_grant', 'a refresh after the answer to the revocation')
    await expectInactive(service, [accessToken, refreshToken], tokens)
  }
}

/**
 * Asks only where introspection answers; whether access tokens can be revoked at all is C87's
 * business.
 */
async function expectInactive(
  service: TestedService,
  dead: readonly string[],
  { client }: Tokens,
): Promise<void> {
  const { confidentialClient } = service.credentials
  const asker = client.secret === undefined ? confidentialClient : client
  if (!asker || !service.endpoint('introspection')) return
  for (const token of dead) {
    const { json, status } = await service.introspect(token, asker)
    if (status !== 200) continue
    expect(json.active !== true, 'a token is active after the answer to its revocation')
  }
}
