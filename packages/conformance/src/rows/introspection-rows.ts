// C91 to C97: the introspection endpoint (RFC 7662), and its signed answers (RFC 9701).

import {
  needsClient,
  needsEndpoint,
  needsMember,
  needsOtherClient,
  needsUser,
} from '../check-needs.ts'
import { type Check, expect } from '../conformance-check.ts'
import { expectAnswer, expectInactive, issueActiveTokens } from '../introspected-tokens.ts'
import { issueTokens, needsAnyToken } from '../issued-tokens.ts'
import { expectClientNeeded } from '../live-tokens.ts'
import type { TestedService } from '../tested-service.ts'
import { checkCaching, checkSignedAnswer } from './introspection-answers.ts'
import { checkAllChecks } from './introspection-checks.ts'

const NEEDS = [needsEndpoint('introspection'), needsClient, needsAnyToken]

export const INTROSPECTION_ROWS: readonly Check[] = [
  {
    row: 'C91',
    level: 'MUST',
    sentence:
      'Introspection answers nobody without credentials; wrong ones get 401 and a challenge.',
    needs: NEEDS,
    async run(service) {
      const tokens = await issueTokens(service)
      await expectClientNeeded(
        service,
        'introspection',
        tokens.map(({ token }) => token),
      )
      await expectNothingForPublic(service)
    },
  },
  {
    row: 'C92',
    level: 'MUST',
    sentence: 'active is always there and a boolean; an inactive answer has nothing else.',
    needs: NEEDS,
    async run(service) {
      for (const { name, token, client } of await issueActiveTokens(service)) {
        const answer = await service.introspect(token, client)
        expectAnswer(answer, name)
        expect(answer.json.active === true, `${name} is fresh and not active`)
      }
      expectInactive(await service.introspect('unknown-token'), 'an unknown token')
    },
  },
  {
    row: 'C93',
    level: 'MUST',
    sentence: 'Only what would be taken is active: nothing changed, revoked, ended or used up.',
    needs: NEEDS,
    run: checkAllChecks,
  },
  {
    row: 'C94',
    level: 'MUST',
    sentence: 'A caller that a token is not meant for learns that it is inactive, and no more.',
    needs: [...NEEDS, needsOtherClient],
    async run(service) {
      const { otherClient } = service.credentials
      for (const { name, token } of await issueActiveTokens(service)) {
        expectInactive(await service.introspect(token, otherClient), `${name}, to a stranger,`)
      }
    },
  },
  {
    row: 'C95',
    level: 'MUST',
    sentence: 'A wrong or unknown hint hides no token, and an unknown token is no error.',
    needs: NEEDS,
    async run(service) {
      for (const { name, token, client } of await issueActiveTokens(service)) {
        for (const hint of ['refresh_token', 'access_token', 'conformance_unknown']) {
          const form = { token, token_type_hint: hint }
          const answer = await service.post('introspection', form, client)
          expectAnswer(answer, `${name} with the hint ${hint}`)
          expect(answer.json.active === true, `the hint ${hint} hides ${name}`)
        }
      }
      for (const token of ['unknown-token', 'x'.repeat(200)]) {
        expectInactive(await service.introspect(token), 'an unknown token')
      }
    },
  },
  {
    row: 'C96',
    level: 'SHOULD',
    sentence: 'Answers are not kept for long, and a refresh token is shown to its own client only.',
    needs: NEEDS,
    async run(service) {
      await checkCaching(service)
      if (needsUser(service) !== undefined || needsOtherClient(service) !== undefined) return
      const { refreshToken } = await service.logIn()
      const answer = await service.introspect(refreshToken, service.credentials.otherClient)
      expectInactive(answer, 'a refresh token, to a stranger,')
    },
  },
  {
    row: 'C97',
    level: 'MUST',
    sentence: 'An answer that was asked for as a JWT is signed, typed, for the caller, and nested.',
    needs: [...NEEDS, needsMember('introspection_signing_alg_values_supported')],
    run: checkSignedAnswer,
  },
]

/** RFC 7662 §2.1: the name of a public client is no authorization, not even for its own token. */
async function expectNothingForPublic(service: TestedService): Promise<void> {
  const { publicClient } = service.credentials
  if (!publicClient) return
  const isUserThere = needsUser(service) === undefined
  const token = isUserThere ? (await service.logIn(publicClient)).accessToken : 'unknown-token'
  const { json } = await service.introspect(token, publicClient)
  expect(json.active !== true, 'a public client introspects by its name alone')
}
