// Calls of the protected resource that the suite was given, with a bearer token or without, and
// what its answers mean (RFC 6750 §3).

import { needsUser } from './check-needs.ts'
import { CheckFailure, NotApplicable } from './conformance-check.ts'
import type { Answer } from './http-exchange.ts'
import { needsClientToken } from './issued-tokens.ts'
import { type Parameters, type TestedService, textOf } from './tested-service.ts'

/** GETs the resource. Throws NotApplicable when none was given. */
export async function callResource(
  { resourceUrl, send }: TestedService,
  token: string | undefined,
): Promise<Answer> {
  if (resourceUrl === undefined) throw new NotApplicable('no protected resource was given')
  const headers = token === undefined ? [] : ([['Authorization', `Bearer ${token}`]] as const)
  return await send(resourceUrl, { headers })
}

/** GETs the resource with the token in the query, where it must not be taken from. */
export async function callWithQuery(
  { resourceUrl = '', send }: TestedService,
  token: string,
): Promise<Answer> {
  const url = new URL(resourceUrl)
  url.searchParams.set('access_token', token)
  return await send(url.href, {})
}

/** Whether the resource let the call through. */
export function isAccepted({ status }: Answer): boolean {
  return status >= 200 && status < 300
}

export interface ResourceToken {
  readonly token: string
  /**
   * What has to be in a token request so that the resource takes the token: `resource`, or nothing.
   */
  readonly parameters: Parameters
}

/**
 * An access token that the resource takes, a user's before a client's own. Throws CheckFailure when
 * it refuses every one, NotApplicable when one lacks a scope or no token can be had.
 */
export async function issueForResource(service: TestedService): Promise<ResourceToken> {
  const { resource } = service.credentials
  const refused: Answer[] = []
  for (const parameters of resource === undefined ? [{}] : [{}, { resource }]) {
    for (const issue of [logInForToken, issueClientToken]) {
      const token = await issue(service, parameters)
      if (token === undefined) continue
      const answer = await callResource(service, token)
      if (isAccepted(answer)) return { token, parameters }
      refused.push(answer)
    }
  }
  if (refused.length === 0) throw new NotApplicable('no access token can be had')
  if (refused.some(({ status }) => status === 403)) {
    throw new NotApplicable('the tokens lack a scope that the resource asks for')
  }
  const statuses = refused.map(({ status }) => status).join(', ')
  throw new CheckFailure(`the resource refused every fresh token (status ${statuses})`)
}

/** The challenge of an answer, as it stands in the header. */
export function challengeOf({ headers }: Answer): string {
  return headers['www-authenticate'] ?? ''
}

async function logInForToken(service: TestedService, parameters: Parameters) {
  if (needsUser(service) !== undefined) return undefined
  return (await service.logIn(undefined, parameters)).accessToken
}

async function issueClientToken(service: TestedService, parameters: Parameters) {
  if (needsClientToken(service) !== undefined) return undefined
  return textOf((await service.issueToClient(parameters)).json.access_token)
}
