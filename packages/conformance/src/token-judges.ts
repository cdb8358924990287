// Those who say whether a token counts: the introspection endpoint and the resource that was given.

import { callResource, isAccepted, issueForResource } from './bearer-call.ts'
import { needsClient } from './check-needs.ts'
import { expect, NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import type { Forgery, Genuine } from './forged-tokens.ts'
import { issueJwts, readJwt } from './issued-tokens.ts'
import type { TestedService } from './tested-service.ts'

export interface Judge {
  /** For messages: `the introspection endpoint`, `the resource`. */
  readonly name: string
  readonly takes: (token: string) => Promise<boolean>
  /** A JWT that it takes, and what forgers can know. */
  readonly genuine: Genuine
}

/** Whoever takes the service's JWTs. Throws NotApplicable when nobody does. */
export async function findJudges(service: TestedService): Promise<readonly Judge[]> {
  const judges = [await findIntrospection(service), await findResource(service)]
  const found = judges.filter((judge) => judge !== undefined)
  if (found.length > 0) return found
  throw new NotApplicable('neither introspection nor a given resource takes the JWTs')
}

/** Undefined when no resource was given. Throws NotApplicable when it takes opaque tokens. */
export async function findResource(service: TestedService): Promise<Judge | undefined> {
  if (service.resourceUrl === undefined) return undefined
  const { token } = await issueForResource(service)
  if (!readJwt(token)) throw new NotApplicable('the access tokens are no JWTs')
  const takes = async (one: string) => isAccepted(await callResource(service, one))
  return { name: 'the resource', takes, genuine: await describeGenuine(service, token) }
}

/** Throws CheckFailure when a forgery is taken, or the genuine token is not. */
export async function expectRefusals(
  { name, takes, genuine }: Judge,
  forgeries: readonly Forgery[],
): Promise<void> {
  for (const { name: forgery, token } of forgeries) {
    expect(!(await takes(token)), `${name} took a token ${forgery}`)
  }
  expect(await takes(genuine.token), `${name} refused the genuine token after that`)
}

/** Whether a token is active for its own client, or for the one that may introspect. */
export async function isActive(
  service: TestedService,
  token: string,
  client?: TestedClient,
): Promise<boolean> {
  return (await introspectFor(service, token, client)).json.active === true
}

/** A public client cannot introspect: the confidential one asks in its place. */
export async function introspectFor(service: TestedService, token: string, client?: TestedClient) {
  return await service.introspect(token, client?.secret === undefined ? undefined : client)
}

async function findIntrospection(service: TestedService): Promise<Judge | undefined> {
  if (!service.endpoint('introspection') || needsClient(service) !== undefined) return undefined
  for (const { token, client } of await issueJwts(service)) {
    const takes = async (one: string) => await isActive(service, one, client)
    if (await takes(token)) {
      const genuine = await describeGenuine(service, token)
      return { name: 'the introspection endpoint', takes, genuine }
    }
  }
  return undefined
}

async function describeGenuine(service: TestedService, token: string): Promise<Genuine> {
  const [another] = await issueJwts(service)
  const { jwks } = await service.fetchJwks()
  const kid = readJwt(token)?.header.kid
  const publicKey = jwks.keys.find((key) => key.kid === kid) ?? jwks.keys[0]
  return { token, other: another?.token ?? token, publicKey }
}
