// C67 to C72: which tokens count, what they may be used for, and what they tell about people.

import { setTimeout as wait } from 'node:timers/promises'
import { callResource, isAccepted } from '../bearer-call.ts'
import { needsClient, needsResourceServer, needsUser } from '../check-needs.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import { forgeClaims, forgeHeaders } from '../forged-tokens.ts'
import { audiencesOf, issueJwts, issueTokens, needsAnyToken, readJwt } from '../issued-tokens.ts'
import { describeAnswer, type TestedService, type Tokens, textOf } from '../tested-service.ts'
import { expectRefusals, findJudges, findResource, introspectFor } from '../token-judges.ts'

/** The claims of a person that OpenID Connect knows, and what introspection calls one. */
const PERSONAL_CLAIMS = [
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username'],
  ...['profile', 'picture', 'website', 'email', 'email_verified', 'gender', 'birthdate'],
  ...['zoneinfo', 'locale', 'phone_number', 'phone_number_verified', 'address', 'username'],
]
const PERSONAL_SCOPES = ['profile', 'email', 'phone', 'address']
/** What gateways take for all headers of a request. */
const HEADER_BYTES_MAX = 8 * 1024

export const TOKEN_SAFETY_ROWS: readonly Check[] = [
  {
    row: 'C67',
    level: 'MUST',
    sentence: 'A resource takes a genuine token only: no other issuer, kind, claims or signature.',
    needs: [needsAnyToken, needsResourceServer],
    async run(service) {
      const judge = await findResource(service)
      if (judge) await expectRefusals(judge, await forgeClaims(judge.genuine))
    },
  },
  {
    row: 'C68',
    level: 'SHOULD',
    sentence: 'auth_time, acr and amr stay what they were at the login when a token is refreshed.',
    needs: [needsUser],
    async run(service) {
      const tokens = await service.logIn()
      const before = readJwt(tokens.accessToken)?.claims
      if (!before) throw new NotApplicable('the access tokens are no JWTs')
      const names = ['auth_time', 'acr', 'amr'].filter((name) => before[name] !== undefined)
      if (names.length === 0) throw new NotApplicable('the tokens say nothing of the login')
      await wait(1100)
      const answer = await service.refresh(tokens)
      const after = readJwt(textOf(answer.json.access_token) ?? '')?.claims
      expect(after, `the refresh gave no token: ${describeAnswer(answer)}`)
      for (const name of names) {
        const [old, current] = [before, after].map((claims) => JSON.stringify(claims[name]))
        expect(current === old, `${name} was ${old} and is ${current} after a refresh`)
      }
    },
  },
  {
    row: 'C69',
    level: 'SHOULD',
    sentence: 'A token is for named audiences and for no more than was asked for.',
    needs: [needsAnyToken],
    async run(service) {
      const { scope, resource } = service.credentials
      const asked = resource === undefined ? { scope } : { scope, resource }
      for (const { name, claims } of await issueJwts(service, asked)) {
        const audiences = audiencesOf(claims.aud)
        expect(audiences.length > 0, `${name} is for no audience, so for any`)
        for (const one of audiences) {
          expect(!String(one).includes('*'), `${name} is for the audience ${String(one)}`)
        }
        expect(
          resource === undefined || audiences.every((one) => one === resource),
          `${name} is for more than the resource that was asked for`,
        )
        const wider = scopesOf(claims.scope).filter((one) => !scopesOf(scope).includes(one))
        expect(
          scope === undefined || wider.length === 0,
          `${name} has the scope ${wider.join(' ')}, which was not asked for`,
        )
      }
    },
  },
  {
    row: 'C70',
    level: 'MUST',
    sentence: 'A token names its key by kid; no forged header, algorithm or key is taken.',
    needs: [needsAnyToken],
    async run(service) {
      for (const { name, header } of await issueJwts(service)) {
        expect(textOf(header.kid) !== undefined, `${name} has no kid`)
      }
      for (const judge of await findJudges(service)) {
        await expectRefusals(judge, await forgeHeaders(judge.genuine))
      }
    },
  },
  {
    row: 'C71',
    level: 'SHOULD',
    sentence: 'A token of one kind is not taken for one of another.',
    needs: [needsUser],
    async run(service) {
      const tokens = await service.logIn()
      const swapped = await service.refresh({ ...tokens, refreshToken: tokens.accessToken })
      expect(
        swapped.status >= 400 && swapped.status < 500,
        `an access token was taken for a refresh token: ${describeAnswer(swapped)}`,
      )
      const [access, refresh] = [tokens.accessToken, tokens.refreshToken].map(readJwt)
      expect(
        !access || !refresh || access.header.typ !== refresh.header.typ,
        `an access token and a refresh token both have the typ ${String(access?.header.typ)}`,
      )
      if (service.resourceUrl !== undefined) {
        const answer = await callResource(service, tokens.refreshToken)
        expect(!isAccepted(answer), 'the resource took a refresh token for an access token')
      }
      if (service.endpoint('introspection') && needsClient(service) === undefined) {
        await expectKindTold(service, tokens)
      }
    },
  },
  {
    row: 'C72',
    level: 'SHOULD',
    sentence: 'A token holds no personal data that nobody asked for and fits into a header.',
    needs: [needsAnyToken],
    async run(service) {
      const { user, scope } = service.credentials
      for (const { token, name, answer } of await issueTokens(service)) {
        const bytes = Buffer.byteLength(`Authorization: Bearer ${token}`)
        expect(bytes < HEADER_BYTES_MAX, `${name} makes a header of ${bytes} bytes`)
        const granted = scopesOf(answer.json.scope ?? scope)
        if (granted.some((one) => PERSONAL_SCOPES.includes(one))) {
          throw new NotApplicable('the scope that was given asks for personal data')
        }
        const claims = Object.entries(readJwt(token)?.claims ?? {})
        for (const [claim, value] of claims) {
          expect(!PERSONAL_CLAIMS.includes(claim), `${name} has the claim ${claim}`)
          expect(
            claim === 'sub' ||
              user === undefined ||
              ![user.username, user.password].includes(String(value)),
            `${name} has what the user logs in with in the claim ${claim}`,
          )
        }
      }
    },
  },
]

async function expectKindTold(service: TestedService, tokens: Tokens): Promise<void> {
  const { json } = await introspectFor(service, tokens.refreshToken, tokens.client)
  const type = textOf(json.token_type)?.toLowerCase()
  expect(
    json.active !== true || (type !== 'bearer' && type !== 'dpop'),
    `introspection calls a refresh token an access token of type ${type}`,
  )
}

function scopesOf(scope: unknown): readonly string[] {
  return (textOf(scope) ?? '').split(' ').filter((one) => one !== '')
}
