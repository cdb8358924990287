// C62 to C66: what an access token is when it is a JWT (RFC 9068 §2).

import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import type { ConfidentialClient } from '../credentials.ts'
import {
  audiencesOf,
  type IssuedJwt,
  issueJwts,
  issueTokens,
  needsAnyToken,
  readJwt,
} from '../issued-tokens.ts'
import { type TestedService, textOf } from '../tested-service.ts'

const REQUIRED_TEXTS = ['iss', 'sub', 'client_id', 'jti'] as const

export const ACCESS_TOKEN_ROWS: readonly Check[] = [
  {
    row: 'C62',
    level: 'MUST',
    sentence: 'A JWT access token is signed, never with none, and its typ is at+jwt.',
    needs: [needsAnyToken],
    async run(service) {
      for (const { name, header, token } of await issueJwts(service)) {
        const alg = textOf(header.alg) ?? ''
        expect(
          alg !== '' && alg.toLowerCase() !== 'none',
          `${name} has the alg ${alg || 'of nothing'}`,
        )
        expect(isAccessTokenType(header.typ), `${name} has the typ ${String(header.typ)}`)
        await service.verify(token)
      }
    },
  },
  {
    row: 'C63',
    level: 'MUST',
    sentence: 'RS256 is available for signing access tokens.',
    needs: [needsAnyToken],
    async run(service) {
      const { rs256Client } = service.credentials
      if (rs256Client) return await expectRs256(service, rs256Client)
      const [first] = await issueJwts(service)
      const alg = String(first?.header.alg)
      // Which others can be chosen is a matter of configuration, and no document says it.
      if (first === undefined || alg !== 'RS256') {
        throw new NotApplicable(
          `the tokens are signed with ${alg}; nobody sees if RS256 can be chosen`,
        )
      }
      await service.verify(first.token)
    },
  },
  {
    row: 'C64',
    level: 'MUST',
    sentence: 'A JWT access token has iss, exp, aud, sub, client_id, iat and jti.',
    needs: [needsAnyToken],
    async run(service) {
      const jwts = [...(await issueJwts(service)), ...(await issueJwts(service))]
      for (const { name, claims, client } of jwts) {
        for (const claim of REQUIRED_TEXTS) {
          expect(textOf(claims[claim]) !== undefined, `${name} has no ${claim}`)
        }
        expect(audiencesOf(claims.aud).length > 0, `${name} has no aud`)
        const { exp, iat } = claims
        expect(typeof exp === 'number' && typeof iat === 'number', `${name} has no exp or no iat`)
        expect(exp > iat, `${name} ends before it begins`)
        expect(claims.client_id === client.id, `${name} names another client`)
      }
      const ids = jwts.map(({ claims }) => claims.jti)
      expect(new Set(ids).size === ids.length, 'two tokens have the same jti')
    },
  },
  {
    row: 'C65',
    level: 'SHOULD',
    sentence: 'A token with granted scopes has them in scope, as one text with single spaces.',
    needs: [needsAnyToken],
    async run(service) {
      const { scope } = service.credentials
      let seen = 0
      for (const { name, claims, answer } of await issueJwts(service, { scope })) {
        const granted = textOf(answer.json.scope) ?? scope
        if (granted === undefined) continue
        seen += 1
        const claimed = textOf(claims.scope)
        expect(claimed !== undefined, `${name} has no scope, though ${granted} was granted`)
        expect(
          /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(claimed),
          `${name} has a scope that is no list with single spaces`,
        )
        expect(
          isSameSet(claimed.split(' '), granted.split(' ')),
          `${name} has the scope ${claimed}, but ${granted} was granted`,
        )
      }
      if (seen === 0) throw new NotApplicable('no scope was granted')
    },
  },
  {
    row: 'C66',
    level: 'MUST',
    sentence:
      'The aud of a token is the resource that was asked for, or the same default each time.',
    needs: [needsAnyToken],
    async run(service) {
      const first = await issueJwts(service)
      const second = await issueJwts(service)
      for (const [index, jwt] of first.entries()) {
        expectAudience(jwt)
        const again = audiencesOf(second[index]?.claims.aud)
        expect(
          isSameSet(audiencesOf(jwt.claims.aud), again),
          `${jwt.name} has another aud at the next request`,
        )
      }
      await expectRequestedAudience(service)
    },
  },
]

async function expectRs256(service: TestedService, client: ConfidentialClient): Promise<void> {
  const answer = await service.post('token', { grant_type: 'client_credentials' }, client)
  const token = textOf(answer.json.access_token)
  expect(token !== undefined, 'the client with RS256 got no token')
  const alg = textOf(readJwt(token)?.header.alg)
  expect(alg === 'RS256', `the token of the client with RS256 is signed with ${alg}`)
  await service.verify(token)
}

function expectAudience({ name, claims }: IssuedJwt): void {
  const audiences = audiencesOf(claims.aud)
  expect(audiences.length > 0, `${name} has no aud`)
  for (const one of audiences) {
    expect(textOf(one) !== undefined, `${name} has an aud that is no text`)
  }
}

/** RFC 8707 §2, where a resource was given. */
async function expectRequestedAudience(service: TestedService): Promise<void> {
  const { resource } = service.credentials
  if (resource === undefined) return
  for (const { name, token } of await issueTokens(service, { resource })) {
    const parts = readJwt(token)
    expect(parts !== undefined, `${name} is no JWT when a resource is asked for`)
    const audiences = audiencesOf(parts.claims.aud)
    expect(
      isSameSet(audiences, [resource]),
      `${name} has the aud ${audiences.join(' ')}, but ${resource} was asked for`,
    )
  }
}

/** RFC 9068 §2.1: with or without the prefix, in any case. */
function isAccessTokenType(typ: unknown): boolean {
  return /^(application\/)?at\+jwt$/i.test(String(typ))
}

function isSameSet(some: readonly unknown[], others: readonly unknown[]): boolean {
  const [one, other] = [new Set(some), new Set(others)]
  return one.size === other.size && [...one].every((value) => other.has(value))
}
