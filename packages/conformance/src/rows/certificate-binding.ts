// C37, its second half: tokens that are bound to the certificate of their request (RFC 8705 §3), and
// refresh tokens of a public client, which only that certificate refreshes (RFC 8705 §4).

import { expectTurnedAway, postCertified, thumbprintOf } from '../certified-request.ts'
import { needsClient, needsEndpoint, needsUser } from '../check-needs.ts'
import { expect } from '../conformance-check.ts'
import type { CertificateClient, CertifiedKey } from '../credentials.ts'
import type { Answer } from '../http-exchange.ts'
import { readJwt } from '../issued-tokens.ts'
import { describeAnswer, type TestedService, textOf } from '../tested-service.ts'

/**
 * The token of an answer names the certificate, wherever it can be seen. False when it is seen nowhere.
 */
export async function expectCertificateNamed(
  service: TestedService,
  { json }: Answer,
  certified: CertifiedKey,
): Promise<boolean> {
  const token = textOf(json.access_token) ?? ''
  const shown = [
    ['the token', readJwt(token)?.claims],
    ['introspection of the token', await introspect(service, token)],
  ] as const
  for (const [where, claims] of shown) {
    if (!claims) continue
    const named = digestIn(claims.cnf)
    expect(named !== undefined, `${where} does not name the certificate in cnf`)
    expect(named === thumbprintOf(certified), `${where} names another certificate in cnf`)
  }
  return shown.some(([, claims]) => claims !== undefined)
}

/** RFC 8705 §3.2; undefined where the confidential client may not see the token. */
async function introspect(service: TestedService, token: string) {
  if (needsEndpoint('introspection')(service) !== undefined) return undefined
  if (needsClient(service) !== undefined) return undefined
  const { json } = await service.introspect(token)
  return json.active === true ? json : undefined
}

/** Of a public client, where one that is bound to certificates was given. */
export async function checkBoundRefresh(
  service: TestedService,
  client: CertificateClient,
  strangers: readonly CertifiedKey[],
): Promise<void> {
  const { boundClient, user, scope } = service.credentials
  if (!boundClient || needsUser(service) !== undefined) return
  const post = (parameters: Record<string, string | undefined>, certified?: CertifiedKey) =>
    postCertified(service, { client_id: boundClient.id, ...parameters }, certified, client)
  const login = await post({ grant_type: 'password', ...user, scope }, client)
  expectServed(login, 'a login with a certificate')
  await expectCertificateNamed(service, login, client)
  const refresh = { grant_type: 'refresh_token', refresh_token: textOf(login.json.refresh_token) }
  expect(refresh.refresh_token !== undefined, 'a login with a certificate gave no refresh token')

  const codes = ['invalid_grant', 'invalid_client', 'invalid_request']
  expectTurnedAway(await post(refresh), codes, 'a refresh without the certificate')
  const elsewhere = await service.post('token', refresh, boundClient)
  expectTurnedAway(elsewhere, codes, 'a refresh where no certificate is asked for')
  for (const stranger of strangers) {
    const answer = await post(refresh, stranger)
    expectTurnedAway(answer, codes.slice(0, 2), 'a refresh with another certificate')
  }
  const own = await post(refresh, client)
  expectServed(own, 'the refresh with its own certificate')
  await expectCertificateNamed(service, own, client)
}

/** Throws CheckFailure unless it was answered with 200. */
export function expectServed(answer: Answer | undefined, what: string): asserts answer is Answer {
  const seen = answer ? `was answered with ${describeAnswer(answer)}` : 'was refused by TLS'
  expect(answer?.status === 200, `${what} ${seen}`)
}

function digestIn(cnf: unknown): unknown {
  return typeof cnf === 'object' && cnf !== null && 'x5t#S256' in cnf ? cnf['x5t#S256'] : undefined
}
