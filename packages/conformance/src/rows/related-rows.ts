// C105 to C112: what stands beside the token endpoint: resources, exchange, what others hear, and
// what reuse takes with it.

import {
  needsClient,
  needsEndpoint,
  needsGrant,
  needsResourceServer,
  needsUser,
} from '../check-needs.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import { expectRefused } from '../expect-answer.ts'
import { needsAnyToken, needsClientToken } from '../issued-tokens.ts'
import { logInAndRefresh } from '../live-tokens.ts'
import type { TestedService } from '../tested-service.ts'
import { isActive } from '../token-judges.ts'
import { checkChallenges, checkResourceMetadata } from './bearer-challenges.ts'
import { checkResourceIndicators } from './resource-indicators.ts'
import { checkStatusList } from './status-list.ts'
import { checkTokenExchange, EXCHANGE_GRANT } from './token-exchange.ts'

export const RELATED_ROWS: readonly Check[] = [
  {
    row: 'C105',
    level: 'MUST',
    sentence: 'A resource is a known absolute URI without fragment; a refresh only narrows it.',
    needs: [needsAnyToken],
    run: checkResourceIndicators,
  },
  {
    row: 'C106',
    level: 'MUST',
    sentence:
      'A token is exchanged only while it lives, for no more, and the answer says its type.',
    needs: [needsGrant(EXCHANGE_GRANT), needsClientToken],
    run: checkTokenExchange,
  },
  {
    row: 'C107',
    level: 'MUST',
    sentence:
      'A resource asks for a token, says what is wrong with a bad one, takes none from a URL.',
    needs: [needsResourceServer, needsAnyToken],
    run: checkChallenges,
  },
  {
    row: 'C108',
    level: 'SHOULD',
    sentence: 'The metadata of a protected resource names this issuer.',
    needs: [needsResourceServer],
    run: checkResourceMetadata,
  },
  {
    row: 'C109',
    level: 'MUST',
    sentence: 'A logout token has its typ, its claims and no nonce, and is sent a bounded time.',
    unseen: 'only the receiver of back-channel logout sees them',
  },
  {
    row: 'C110',
    level: 'MUST',
    sentence: 'A security event token has its typ and jti and is sent until it is acknowledged.',
    unseen: 'only the receiver of security events sees them',
  },
  {
    row: 'C111',
    level: 'MUST',
    sentence:
      'A status list is typed, signed and its own subject, and its indexes are not counted up.',
    needs: [needsAnyToken],
    run: checkStatusList,
  },
  {
    row: 'C112',
    level: 'SHOULD',
    sentence: 'Reuse of an old refresh token ends the access tokens of its grant, too.',
    needs: [needsUser, needsEndpoint('introspection'), needsClient],
    run: checkReuse,
  },
]

async function checkReuse(service: TestedService): Promise<void> {
  const generations = await logInAndRefresh(service)
  const [oldest, , newest] = generations
  if (!oldest || !newest) throw new NotApplicable('refresh tokens are not rotated')
  if (!(await isActive(service, newest.accessToken, newest.client))) {
    throw new NotApplicable('introspection does not show these access tokens')
  }
  const reused = await service.refresh(oldest)
  // Whether reuse is noticed at all is for C53.
  if (reused.status === 200) throw new NotApplicable('reuse of an old refresh token is taken')
  expectRefused(await service.refresh(newest), 'the newest refresh token after the reuse')
  for (const { accessToken, client } of generations) {
    const isLeft = await isActive(service, accessToken, client)
    expect(!isLeft, 'an access token is active after its refresh token was reused')
  }
}
