// Tokens whose life can be seen from outside, so that a check can tell whether something ended
// them: a refresh token by using it, an access token by introspection.

import { needsClient, needsEndpoint, needsUser } from './check-needs.ts'
import { expect, NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import { expectRefused } from './expect-answer.ts'
import type { Answer } from './http-exchange.ts'
import { issueTokens } from './issued-tokens.ts'
import { describeAnswer, type TestedService, type Tokens, textOf } from './tested-service.ts'
import { isActive } from './token-judges.ts'

export interface LiveToken {
  readonly name: 'a refresh token' | 'an access token'
  readonly token: string
  readonly client: TestedClient
  /** Ask once: a refresh token is spent by it. */
  isLive(): Promise<boolean>
}

/** Fresh tokens; none where their life cannot be seen. */
export async function findLiveTokens(service: TestedService): Promise<readonly LiveToken[]> {
  return [...(await issueRefreshToken(service)), ...(await issueAccessTokens(service))]
}

/** The same, at least one. Throws NotApplicable where there is none. */
export async function issueLiveTokens(service: TestedService): Promise<readonly LiveToken[]> {
  const tokens = await findLiveTokens(service)
  if (tokens.length > 0) return tokens
  throw new NotApplicable('nobody sees whether a token lives: no login, no introspection')
}

/** A login and two refreshes of it, the newest last; fewer where refresh tokens are not rotated. */
export async function logInAndRefresh(service: TestedService): Promise<readonly Tokens[]> {
  const generations = [await service.logIn()]
  for (let newest = generations[0]; newest && generations.length < 3; newest = generations.at(-1)) {
    const answer = await service.refresh(newest)
    expect(answer.status === 200, `a refresh was answered with ${describeAnswer(answer)}`)
    const refreshToken = textOf(answer.json.refresh_token)
    const accessToken = textOf(answer.json.access_token) ?? ''
    if (refreshToken === undefined || refreshToken === newest.refreshToken) break
    generations.push({ ...newest, accessToken, refreshToken, answer })
  }
  return generations
}

/**
 * True for 200; false where an access token is refused as `unsupported_token_type`. Throws
 * CheckFailure for anything else.
 */
export function isRevoked(answer: Answer, { name }: LiveToken, what: string): boolean {
  const isUnsupported = answer.status === 400 && answer.json.error === 'unsupported_token_type'
  // RFC 7009 §2: the revocation of refresh tokens is the one that has to be there.
  if (isUnsupported && name === 'an access token') return false
  expect(answer.status === 200, `${what} was answered with ${describeAnswer(answer)}`)
  return true
}

/** Cut short, with another character in the middle, with one more at the end. */
export function nearMissesOf(token: string): readonly string[] {
  const middle = token.length >> 1
  const other = token[middle] === 'A' ? 'B' : 'A'
  return [
    token.slice(0, -1),
    `${token.slice(0, middle)}${other}${token.slice(middle + 1)}`,
    `${token}A`,
  ]
}

/** Demands a refusal of requests without a client, and of one with a wrong secret. */
export async function expectClientNeeded(
  service: TestedService,
  name: 'revocation' | 'introspection',
  tokens: readonly string[],
): Promise<void> {
  for (const token of tokens) {
    const nobody = await service.post(name, { token }, undefined)
    expectRefused(nobody, `a request without a client to the ${name} endpoint`)
  }
  const { confidentialClient } = service.credentials
  const [token] = tokens
  if (!confidentialClient || token === undefined) return
  const impostor = { ...confidentialClient, secret: 'not-the-secret' }
  const answer = await service.post(name, { token }, impostor)
  const what = `a wrong secret at the ${name} endpoint`
  expectRefused(answer, what)
  if (impostor.authMethod === 'client_secret_post') return
  // RFC 6749 §5.2: the client tried the Authorization header.
  expect(answer.status === 401, `${what} was answered with ${describeAnswer(answer)}, not 401`)
  const challenge = answer.headers['www-authenticate'] ?? ''
  expect(challenge !== '', `${what} was answered without WWW-Authenticate`)
}

async function issueRefreshToken(service: TestedService): Promise<readonly LiveToken[]> {
  if (needsUser(service) !== undefined) return []
  const tokens = await service.logIn()
  const { refreshToken: token, client } = tokens
  const isLive = async () => (await service.refresh(tokens)).status === 200
  return [{ name: 'a refresh token', token, client, isLive }]
}

async function issueAccessTokens(service: TestedService): Promise<readonly LiveToken[]> {
  if (needsClient(service) !== undefined) return []
  if (needsEndpoint('introspection')(service) !== undefined) return []
  const tokens: LiveToken[] = []
  for (const { token, client } of await issueTokens(service)) {
    const isLive = async () => await isActive(service, token, client)
    if (await isLive()) tokens.push({ name: 'an access token', token, client, isLive })
  }
  return tokens
}
