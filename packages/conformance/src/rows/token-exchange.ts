// C106: token exchange (RFC 8693), as far as it can be seen with a client's own token.

import { expect, NotApplicable } from '../conformance-check.ts'
import { expectRefused, expectSuccess, scopeWords } from '../expect-answer.ts'
import { issueTokens, readJwt } from '../issued-tokens.ts'
import { nearMissesOf } from '../live-tokens.ts'
import { type Parameters, type TestedService, textOf } from '../tested-service.ts'

export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

export async function checkTokenExchange(service: TestedService): Promise<void> {
  const { confidentialClient: client } = service.credentials
  // The subject token has a narrow scope, so that a wider one in the answer would show.
  const { scope } = service.credentials
  const subjects = await issueTokens(service, { scope })
  const subject = subjects.find((one) => one.client.id === client?.id)
  if (!client || !subject) throw new NotApplicable('the client has no token to exchange')
  const exchange = async (changes: Parameters = {}) =>
    await service.post(
      'token',
      {
        grant_type: EXCHANGE_GRANT,
        subject_token: subject.token,
        subject_token_type: ACCESS_TOKEN_TYPE,
        ...changes,
      },
      client,
    )
  const good = await exchange()
  if (good.json.error === 'unauthorized_client') {
    throw new NotApplicable('the confidential client may not exchange tokens')
  }
  expectRefused(await exchange({ subject_token: undefined }), 'no subject_token')
  expectRefused(await exchange({ subject_token_type: undefined }), 'no subject_token_type')
  for (const forged of ['unknown-token', ...nearMissesOf(subject.token)]) {
    expectRefused(await exchange({ subject_token: forged }), 'a subject_token that was changed')
  }
  if (good.status !== 200) throw new NotApplicable("a client's own token is not exchanged")
  expect(textOf(good.json.issued_token_type) !== undefined, 'the answer has no issued_token_type')
  expect(textOf(good.json.token_type) !== undefined, 'the answer has no token_type')
  expectNoMore(good.json, subject.answer.json)
  const acted = await exchange({ actor_token: subject.token, actor_token_type: ACCESS_TOKEN_TYPE })
  if (acted.status === 200) expectActor(textOf(acted.json.access_token) ?? '')
  if (!service.endpoint('revocation')) return
  const revocation = await service.revoke(subject.token, client)
  if (revocation.json.error === 'unsupported_token_type') return
  expectSuccess(revocation, 'the revocation of the subject_token')
  expectRefused(await exchange(), 'a subject_token that was revoked')
}

type Members = Readonly<Record<string, unknown>>

function expectNoMore(issued: Members, subject: Members): void {
  const allowed = scopeWords(subject.scope)
  const wider = scopeWords(issued.scope).filter((one) => !allowed.includes(one))
  const isKnown = subject.scope !== undefined && issued.scope !== undefined
  expect(!isKnown || wider.length === 0, `the new token has the scope ${wider.join(' ')}, too`)
}

/** A token for an actor names the actor in `act` (RFC 8693 §4.1). */
function expectActor(token: string): void {
  const claims = readJwt(token)?.claims
  if (!claims) return
  const { act } = claims
  const isNamed = typeof act === 'object' && act !== null && 'sub' in act
  expect(isNamed, 'a token for an actor does not name its actor in act')
}
