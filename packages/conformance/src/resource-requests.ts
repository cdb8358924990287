// Token requests that name resources (RFC 8707 §2), and what the tokens say of them.

import { needsUser } from './check-needs.ts'
import { NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import { type Pairs, postPairs, toPairs } from './form-request.ts'
import type { Answer } from './http-exchange.ts'
import { audiencesOf, needsClientToken, readJwt } from './issued-tokens.ts'
import { type Parameters, type TestedService, textOf } from './tested-service.ts'
import { introspectFor } from './token-judges.ts'

export interface ResourceRequest {
  readonly parameters: Parameters
  readonly client: TestedClient
}

/** A client's own request, or else a login. Throws NotApplicable when neither can be. */
export function chooseRequest(service: TestedService): ResourceRequest {
  const { confidentialClient, publicClient, user, scope } = service.credentials
  if (confidentialClient && needsClientToken(service) === undefined) {
    return { parameters: { grant_type: 'client_credentials' }, client: confidentialClient }
  }
  const client = publicClient ?? confidentialClient
  if (!client || needsUser(service) !== undefined) throw new NotApplicable('no token can be had')
  return { parameters: { grant_type: 'password', ...user, scope }, client }
}

export async function requestResources(
  service: TestedService,
  { parameters, client }: ResourceRequest,
  resources: readonly string[],
): Promise<Answer> {
  const named: Pairs = resources.map((resource) => ['resource', resource] as const)
  return await postPairs(service, 'token', [...toPairs(parameters), ...named], client)
}

/** Of the token in an answer, by its claims or by introspection; empty where neither tells. */
export async function seenAudiences(
  service: TestedService,
  answer: Answer,
  client: TestedClient,
): Promise<readonly unknown[]> {
  const token = textOf(answer.json.access_token)
  if (token === undefined) return []
  const claims = readJwt(token)?.claims
  if (claims) return audiencesOf(claims.aud)
  if (!service.endpoint('introspection') || !service.credentials.confidentialClient) return []
  return audiencesOf((await introspectFor(service, token, client)).json.aud)
}
