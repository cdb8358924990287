// C82 to C90: the revocation endpoint (RFC 7009).

import { needsClient, needsEndpoint, needsOtherClient, needsUser } from '../check-needs.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import { expectError, expectRefused } from '../expect-answer.ts'
import { needsAnyToken } from '../issued-tokens.ts'
import {
  expectClientNeeded,
  findLiveTokens,
  isRevoked,
  issueLiveTokens,
  logInAndRefresh,
  nearMissesOf,
} from '../live-tokens.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'
import { isActive } from '../token-judges.ts'

const NEEDS = [needsEndpoint('revocation'), needsClient]
const UNKNOWN_TOKENS = ['unknown-token', 'e30.e30.AAAA', 'x'.repeat(200)]

export const REVOCATION_ROWS: readonly Check[] = [
  {
    row: 'C82',
    level: 'MUST',
    sentence: 'Revocation takes POST with the client authentication of the token endpoint.',
    needs: NEEDS,
    async run(service) {
      const tokens = await findLiveTokens(service)
      const presented = [...tokens.map(({ token }) => token), 'unknown-token']
      await expectClientNeeded(service, 'revocation', presented)
      const url = service.endpoint('revocation') ?? ''
      for (const token of presented) {
        const got = await service.send(`${url}?${new URLSearchParams({ token })}`, {})
        expectRefused(got, 'a GET of the revocation endpoint')
      }
      for (const { name, isLive } of tokens) {
        expect(await isLive(), `${name} was revoked by a request that was refused`)
      }
    },
  },
  {
    row: 'C83',
    level: 'MUST',
    sentence: "Revoking another client's token has no effect and tells nothing.",
    needs: [...NEEDS, needsOtherClient, needsAnyToken],
    async run(service) {
      const { otherClient } = service.credentials
      if (!otherClient) return
      const unknown = await service.revoke('unknown-token', otherClient)
      for (const { token, name, isLive } of await issueLiveTokens(service)) {
        const answer = await service.revoke(token, otherClient)
        const told = `revoking ${name} of another client was answered with`
        expect(answer.status < 500, `${told} ${describeAnswer(answer)}`)
        // RFC 7009 §2.1 lets the service refuse; where it does not, it must not tell either.
        const isSilent = answer.status !== 200 || answer.text === unknown.text
        expect(isSilent, `${told} another body than an unknown token`)
        expect(await isLive(), `another client revoked ${name}`)
      }
    },
  },
  {
    row: 'C84',
    level: 'MUST',
    sentence: 'An unknown token and one that was revoked before are answered with 200.',
    needs: NEEDS,
    async run(service) {
      const { confidentialClient: client } = service.credentials
      if (!client) return
      for (const token of UNKNOWN_TOKENS) {
        const answer = await service.revoke(token, client)
        const isJwtRefused = answer.json.error === 'unsupported_token_type' && token.includes('.')
        expect(
          answer.status === 200 || isJwtRefused,
          `an unknown token was answered with ${describeAnswer(answer)}`,
        )
      }
      for (const live of await findLiveTokens(service)) {
        const first = await service.revoke(live.token, live.client)
        if (!isRevoked(first, live, `revoking ${live.name}`)) continue
        const second = await service.revoke(live.token, live.client)
        isRevoked(second, live, `revoking ${live.name} again`)
      }
    },
  },
  {
    row: 'C85',
    level: 'MUST',
    sentence: 'A wrong or unknown token_type_hint hides no token.',
    needs: [...NEEDS, needsAnyToken],
    async run(service) {
      for (const hint of ['access_token', 'refresh_token', 'conformance_unknown']) {
        for (const live of await issueLiveTokens(service)) {
          const form = { token: live.token, token_type_hint: hint }
          const answer = await service.post('revocation', form, live.client)
          const what = `revoking ${live.name} with the hint ${hint}`
          if (!isRevoked(answer, live, what)) continue
          expect(!(await live.isLive()), `${what} had no effect`)
        }
      }
    },
  },
  {
    row: 'C86',
    level: 'MUST',
    sentence: 'A revoked token is dead at once: a refresh token, and an access token if revocable.',
    needs: [...NEEDS, needsAnyToken],
    async run(service) {
      let seen = 0
      for (const live of await issueLiveTokens(service)) {
        const answer = await service.revoke(live.token, live.client)
        if (!isRevoked(answer, live, `revoking ${live.name}`)) continue
        seen += 1
        if (service.endpoint('introspection')) {
          const isSeen = await isActive(service, live.token, live.client)
          expect(!isSeen, `introspection calls ${live.name} active after its revocation`)
        }
        expect(!(await live.isLive()), `${live.name} lives after its revocation`)
      }
      if (seen === 0) throw new NotApplicable('only access tokens can be had, and none revoked')
    },
  },
  {
    row: 'C87',
    level: 'SHOULD',
    sentence: 'The access tokens of a grant die with its refresh token.',
    needs: [...NEEDS, needsUser, needsEndpoint('introspection')],
    async run(service) {
      const generations = await logInAndRefresh(service)
      const newest = generations.at(-1)
      if (!newest || !(await isActive(service, newest.accessToken, newest.client))) {
        throw new NotApplicable('introspection does not show these access tokens')
      }
      const answer = await service.revoke(newest.refreshToken, newest.client)
      expect(answer.status === 200, `the revocation was answered with ${describeAnswer(answer)}`)
      for (const { accessToken, client } of generations) {
        const isLeft = await isActive(service, accessToken, client)
        expect(!isLeft, 'an access token is active after its refresh token was revoked')
      }
    },
  },
  {
    row: 'C88',
    level: 'MUST',
    sentence: 'A missing token is invalid_request; an unsupported kind is unsupported_token_type.',
    needs: NEEDS,
    async run(service) {
      const { confidentialClient } = service.credentials
      const missing = await service.post('revocation', {}, confidentialClient)
      expectError(missing, 'invalid_request', 'a revocation without a token')
      for (const live of await findLiveTokens(service)) {
        const answer = await service.revoke(live.token, live.client)
        if (isRevoked(answer, live, `revoking ${live.name}`)) continue
        expect(await live.isLive(), `${live.name} was called unsupported, but is dead`)
      }
    },
  },
  {
    row: 'C89',
    level: 'MUST',
    sentence: 'After a 503 the token is still valid, and Retry-After says when to try again.',
    unseen: 'a 503 needs a part of the service that is down',
  },
  {
    row: 'C90',
    level: 'SHOULD',
    sentence: 'Guessing at the revocation endpoint needs a client, ends nothing and tells nothing.',
    needs: [...NEEDS, needsAnyToken],
    run: checkGuessing,
  },
]

/** RFC 7009 §5. How many guesses a client may make is for C29 and C41. */
async function checkGuessing(service: TestedService): Promise<void> {
  for (const { token, client, name, isLive } of await issueLiveTokens(service)) {
    const unknown = await service.revoke('unknown-token', client)
    for (const guess of nearMissesOf(token)) {
      const nobody = await service.post('revocation', { token: guess }, undefined)
      expectRefused(nobody, 'a guess without a client')
      const answer = await service.revoke(guess, client)
      const isSame = answer.status === unknown.status && answer.text === unknown.text
      expect(
        isSame || answer.json.error === 'unsupported_token_type',
        `a guess close to ${name} was answered unlike any other: ${describeAnswer(answer)}`,
      )
    }
    expect(await isLive(), `${name} was revoked by a guess that was only close to it`)
  }
}
