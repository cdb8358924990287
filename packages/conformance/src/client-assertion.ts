// Client assertions, right and wrong ones (RFC 7521 §4.2, RFC 7523 §2.2), and the request that carries
// one.

import { randomUUID } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import { CheckFailure, type Need, NotApplicable } from './conformance-check.ts'
import type { AssertionClient } from './credentials.ts'
import { type Pairs, postPairs } from './form-request.ts'
import type { Answer } from './http-exchange.ts'
import { describeAnswer, type TestedService } from './tested-service.ts'

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const LIFETIME_SECONDS = 60

export type AssertionClaims = Readonly<Record<string, unknown>>

export const needsAssertions: Need = ({ metadata, credentials }) => {
  const methods = metadata.token_endpoint_auth_methods_supported
  if (!Array.isArray(methods) || !methods.includes('private_key_jwt')) {
    return 'the metadata does not list private_key_jwt'
  }
  return credentials.assertionClient ? undefined : 'no client with a private key was given'
}

/** Throws NotApplicable when no such client was given. */
export function assertionClientOf({ credentials }: TestedService): AssertionClient {
  if (!credentials.assertionClient)
    throw new NotApplicable('no client with a private key was given')
  return credentials.assertionClient
}

/** What a good one says, as of now. */
export function goodClaims(service: TestedService): AssertionClaims {
  const { id } = assertionClientOf(service)
  const now = Math.floor(Date.now() / 1000)
  const about = { iss: id, sub: id, aud: service.issuer, jti: randomUUID() }
  return { ...about, iat: now, exp: now + LIFETIME_SECONDS }
}

/** Claims that are undefined are left out. */
export async function signAssertion(
  { privateJwk, alg }: Pick<AssertionClient, 'privateJwk' | 'alg'>,
  claims: AssertionClaims,
): Promise<string> {
  const { kid } = privateJwk
  const header = { alg, ...(kid === undefined ? {} : { kid }) }
  const present = Object.entries(claims).filter(([, value]) => value !== undefined)
  const jwt = new SignJWT(Object.fromEntries(present)).setProtectedHeader(header)
  return await jwt.sign(await importJWK(privateJwk, alg))
}

/** The client's id goes with it, so that a bad `sub` leaves no doubt who is meant. */
export async function postAssertion(
  service: TestedService,
  assertion: string,
  more: Pairs = [['client_assertion_type', ASSERTION_TYPE]],
): Promise<Answer> {
  const { id } = assertionClientOf(service)
  const pairs: Pairs = [
    ['grant_type', 'client_credentials'],
    ['client_id', id],
    ...more,
    ['client_assertion', assertion],
  ]
  return await postPairs(service, 'token', pairs)
}

/** Whether the client was known by it; what it may have is another question. */
export function isAuthenticated({ status, json }: Answer): boolean {
  const code = String(json.error)
  return status === 200 || ['unauthorized_client', 'invalid_scope', 'invalid_target'].includes(code)
}

/** Throws CheckFailure when a good one is refused: nothing can be told then. */
export async function requireGoodAssertion(service: TestedService): Promise<void> {
  const assertion = await signAssertion(assertionClientOf(service), goodClaims(service))
  const answer = await postAssertion(service, assertion)
  if (!isAuthenticated(answer)) {
    throw new CheckFailure(`a good assertion was answered with ${describeAnswer(answer)}`)
  }
}
