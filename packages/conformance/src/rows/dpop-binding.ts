// C101: what is bound to a key stays with it (RFC 9449 §5, §6, §7).

import { needsClient, needsEndpoint, needsPublicClient, needsUser } from '../check-needs.ts'
import { expect } from '../conformance-check.ts'
import { type DpopSession, openDpopSession } from '../dpop-session.ts'
import { expectRefused } from '../expect-answer.ts'
import type { Answer } from '../http-exchange.ts'
import { readJwt } from '../issued-tokens.ts'
import { describeAnswer, type TestedService, textOf } from '../tested-service.ts'

export async function checkBinding(service: TestedService): Promise<void> {
  const session = await openDpopSession(service)
  const answer = await session.requestToken()
  expectBound(answer, session)
  await expectConfirmed(service, session, textOf(answer.json.access_token) ?? '')
  await expectNoDowngrade(service, session, textOf(answer.json.access_token) ?? '')
  const isPublicThere = needsPublicClient(service) === undefined
  if (isPublicThere && needsUser(service) === undefined) await checkRefresh(service)
}

function expectBound({ json }: Answer, { prover }: DpopSession): void {
  const type = String(json.token_type)
  expect(type.toLowerCase() === 'dpop', `a token that a proof asked for has the type ${type}`)
  const claims = readJwt(textOf(json.access_token) ?? '')?.claims
  if (claims) {
    expect(thumbprintOf(claims.cnf) === prover.thumbprint, 'the token does not name the key in cnf')
  }
}

async function expectConfirmed(
  service: TestedService,
  { prover }: DpopSession,
  token: string,
): Promise<void> {
  if (needsEndpoint('introspection')(service) !== undefined) return
  if (needsClient(service) !== undefined) return
  const { json } = await service.introspect(token)
  if (json.active !== true) return
  expect(
    thumbprintOf(json.cnf) === prover.thumbprint,
    'introspection does not name the key of a bound token',
  )
}

/** RFC 9449 §7.2: a resource that knows DPoP does not take the token without its proof. */
async function expectNoDowngrade(
  { resourceUrl, send }: TestedService,
  { prover }: DpopSession,
  token: string,
): Promise<void> {
  if (resourceUrl === undefined) return
  const target = { method: 'GET', url: resourceUrl, accessToken: token }
  const headers = [
    ['Authorization', `DPoP ${token}`],
    ['DPoP', await prover.prove(target)],
  ] as const
  const proven = await send(resourceUrl, { headers })
  if (proven.status !== 200) return
  const bare = await send(resourceUrl, { headers: [['Authorization', `Bearer ${token}`]] })
  expect(bare.status >= 400, 'the resource took a bound token as a bearer token')
}

/** RFC 9449 §5: what binds the refresh token of a client that has no other credentials. */
async function checkRefresh(service: TestedService): Promise<void> {
  const { publicClient: client, user, scope } = service.credentials
  if (!client) return
  const session = await openDpopSession(service)
  const stranger = await openDpopSession(service)
  const prove = (who: DpopSession) => async (target: Parameters<typeof who.prover.prove>[0]) => [
    await who.prover.prove(target),
  ]
  const login = { parameters: { grant_type: 'password', ...user, scope }, client }
  const first = await session.request(prove(session), login)
  expect(first.status === 200, `a login with a proof was answered with ${describeAnswer(first)}`)
  expectBound(first, session)
  const refreshToken = textOf(first.json.refresh_token)
  if (refreshToken === undefined) return
  const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken }
  const refresh = { parameters, client }
  expectRefused(await session.request(async () => [], refresh), 'a refresh without a proof')
  const other = await stranger.request(prove(stranger), refresh)
  expectRefused(other, "a refresh with another key's proof")
  const own = await session.request(prove(session), refresh)
  expect(
    own.status === 200,
    `the refresh with its own key was answered with ${describeAnswer(own)}`,
  )
  expectBound(own, session)
}

function thumbprintOf(cnf: unknown): unknown {
  return typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? cnf.jkt : undefined
}
