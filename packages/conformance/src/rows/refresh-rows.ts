// C49 to C58: refresh tokens, whose they are, how they change and when they end.

import { needsPublicClient, needsUser } from '../check-needs.ts'
import { type Check, NotApplicable } from '../conformance-check.ts'
import { expectError, expectRefused, expectSuccess } from '../expect-answer.ts'
import type { TestedService } from '../tested-service.ts'
import { checkExpiry, needsExpiringClient } from './refresh-expiry.ts'
import { checkReuse, checkRotation } from './refresh-rotation.ts'
import { checkRefreshScopes } from './refresh-scope.ts'
import { checkEntropy, checkTampering } from './refresh-strength.ts'

export const REFRESH_ROWS: readonly Check[] = [
  {
    row: 'C49',
    level: 'MUST',
    sentence: 'Another client can neither use a refresh token nor end it for its owner.',
    needs: [needsUser],
    run: checkForeignClients,
  },
  {
    row: 'C50',
    level: 'MUST',
    sentence: 'The client is authenticated before its refresh token is touched.',
    needs: [needsUser],
    run: checkAuthenticationFirst,
  },
  {
    row: 'C51',
    level: 'MUST',
    sentence:
      'A refresh never widens the scope, and one that narrows it leaves the grant as it was.',
    needs: [needsUser],
    run: checkRefreshScopes,
  },
  {
    row: 'C52',
    level: 'MUST',
    sentence: 'Refresh tokens of a public client are rotated or bound to its key.',
    needs: [needsUser, needsPublicClient],
    run: checkRotation,
  },
  {
    row: 'C53',
    level: 'MUST',
    sentence: 'An old refresh token that comes back ends the one that is active.',
    needs: [needsUser],
    run: checkReuse,
  },
  {
    row: 'C54',
    level: 'MUST',
    sentence: 'A refresh token that was changed anywhere is refused.',
    needs: [needsUser],
    run: checkTampering,
  },
  {
    row: 'C55',
    level: 'SHOULD',
    sentence: 'A refresh token that nobody uses ends, and no rotation moves the absolute end.',
    needs: [needsExpiringClient, needsUser],
    run: checkExpiry,
  },
  {
    row: 'C56',
    level: 'MAY',
    sentence: 'A new password, a logout and a disabled account end the refresh tokens of a user.',
    unseen: 'no standard says how a password is changed or an account disabled',
  },
  {
    row: 'C57',
    level: 'MUST',
    sentence: 'A refresh token cannot be guessed: two of them differ in 128 bits or more.',
    needs: [needsUser],
    run: checkEntropy,
  },
  {
    row: 'C58',
    level: 'MUST',
    sentence: 'A user or client that was disabled or deleted can refresh no more.',
    unseen: 'no standard says how a user or a client is disabled',
  },
]

async function checkForeignClients(service: TestedService): Promise<void> {
  const { otherClient, publicClient, confidentialClient } = service.credentials
  const tokens = await service.logIn()
  const foreign = [otherClient, publicClient, confidentialClient].filter(
    (client) => client !== undefined && client.id !== tokens.client.id,
  )
  if (foreign.length === 0) throw new NotApplicable('no second client was given')
  for (const client of foreign) {
    if (!client) continue
    const answer = await service.refresh({ ...tokens, client })
    expectRefused(answer, 'a refresh by another client')
    expectError(answer, ['invalid_grant', 'unauthorized_client'], 'a refresh by another client')
  }
  const own = await service.refresh(tokens)
  expectSuccess(own, 'the refresh of the owner after that')
  const { refresh_token: next } = own.json
  if (typeof next !== 'string' || next === tokens.refreshToken) return
  for (const client of foreign) {
    if (client) expectRefused(await service.refresh({ ...tokens, client }), 'a foreign old token')
  }
  const again = await service.refresh({ ...tokens, refreshToken: next })
  expectSuccess(again, 'the next refresh of the owner')
}

/** A thief without the client's secret must not be able to end a session either. */
async function checkAuthenticationFirst(service: TestedService): Promise<void> {
  const tokens = await service.logIn()
  const { client } = tokens
  const wrong =
    client.secret === undefined
      ? { id: 'conformance-nobody' }
      : { ...client, secret: 'conformance' }
  const attempt = async (refreshToken: string) => {
    const answer = await service.refresh({ ...tokens, refreshToken, client: wrong })
    expectError(answer, 'invalid_client', 'a refresh with wrong client credentials')
  }
  await attempt(tokens.refreshToken)
  await attempt('conformance')
  let { refreshToken } = tokens
  for (const _ of [1, 2]) {
    const answer = await service.refresh({ ...tokens, refreshToken })
    expectSuccess(answer, 'a refresh after one with wrong client credentials')
    if (typeof answer.json.refresh_token === 'string') refreshToken = answer.json.refresh_token
    // By now an old one where tokens are rotated, whose return would end them all.
    await attempt(tokens.refreshToken)
  }
  const last = await service.refresh({ ...tokens, refreshToken })
  expectSuccess(last, 'the newest token after an old one with wrong client credentials')
}
