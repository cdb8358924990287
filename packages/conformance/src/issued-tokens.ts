// Fresh access tokens for the checks that look into them: one for each way of getting one that the
// suite was given, and what stands in a token when it is a JWT.

import { needsClient, needsGrant, needsUser } from './check-needs.ts'
import { type Need, NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import type { Answer } from './http-exchange.ts'
import { type Parameters, type TestedService, textOf } from './tested-service.ts'

export interface IssuedToken {
  /** For messages: `the token of a client`, `the token of a user`. */
  readonly name: string
  readonly token: string
  readonly answer: Answer
  readonly client: TestedClient
}

export interface IssuedJwt extends IssuedToken, JwtParts {}

export interface JwtParts {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Whether a client may have tokens of its own. */
export const needsClientToken: Need = (service) =>
  needsClient(service) ?? needsGrant('client_credentials')(service)

/** A token of a client's own or a login: either is enough. */
export const needsAnyToken: Need = (service) => {
  const reason = needsClientToken(service)
  return reason !== undefined && needsUser(service) !== undefined ? reason : undefined
}

/** One of a client's own and one of a login, as far as each can be had. */
export async function issueTokens(
  service: TestedService,
  parameters: Parameters = {},
): Promise<readonly IssuedToken[]> {
  const { confidentialClient } = service.credentials
  const tokens: IssuedToken[] = []
  if (confidentialClient && needsClientToken(service) === undefined) {
    const answer = await service.issueToClient(parameters)
    const token = textOf(answer.json.access_token) ?? ''
    tokens.push({ name: 'the token of a client', token, answer, client: confidentialClient })
  }
  if (needsUser(service) === undefined) {
    const { accessToken: token, answer, client } = await service.logIn(undefined, parameters)
    tokens.push({ name: 'the token of a user', token, answer, client })
  }
  return tokens
}

/** The same, of those that are JWTs. Throws NotApplicable when none is. */
export async function issueJwts(
  service: TestedService,
  parameters: Parameters = {},
): Promise<readonly IssuedJwt[]> {
  const found = keepJwts(await issueTokens(service, parameters))
  if (found.length > 0) return found
  // Some services make JWTs only for a resource that was named (RFC 8707).
  const { resource } = service.credentials
  const forResource =
    resource === undefined ? [] : keepJwts(await issueTokens(service, { resource, ...parameters }))
  if (forResource.length > 0) return forResource
  throw new NotApplicable('the access tokens are no JWTs')
}

/** Undefined for anything but a JWT in three parts; nothing is verified. */
export function readJwt(token: string): JwtParts | undefined {
  const parts = token.split('.')
  const [header, claims] = parts.map(readPart)
  return parts.length === 3 && header && claims ? { header, claims } : undefined
}

/** The audiences of a claim or member, whether it is one or a list. */
export function audiencesOf(aud: unknown): readonly unknown[] {
  return aud === undefined ? [] : [aud].flat()
}

function keepJwts(tokens: readonly IssuedToken[]): readonly IssuedJwt[] {
  return tokens.flatMap((issued) => {
    const parts = readJwt(issued.token)
    return parts ? [{ ...issued, ...parts }] : []
  })
}

function readPart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? { ...value } : undefined
  } catch {
    return undefined
  }
}
