// The keys that the service publishes, and tokens verified by them.

import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { CheckFailure, NotApplicable } from './conformance-check.ts'
import { type Answer, exchange } from './http-exchange.ts'

export interface FetchedKeys {
  readonly answer: Answer
  readonly jwks: JSONWebKeySet
}

/** Throws NotApplicable without a URL, CheckFailure when no JWK Set is there. */
export async function fetchKeys(url: unknown): Promise<FetchedKeys> {
  if (typeof url !== 'string') throw new NotApplicable('the metadata names no jwks_uri')
  const answer = await exchange(url, {})
  const { keys } = answer.json
  if (answer.status !== 200 || !Array.isArray(keys)) {
    throw new CheckFailure(`jwks_uri gave no JWK Set: status ${answer.status}`)
  }
  return { answer, jwks: { keys } }
}

/** The claims of a JWT that one of the keys signed; throws CheckFailure. */
export async function verifyByKeys(jwt: string, { jwks }: FetchedKeys): Promise<JWTPayload> {
  try {
    return (await jwtVerify(jwt, createLocalJWKSet(jwks))).payload
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new CheckFailure(`the token is not verified by the JWKS (${code})`)
  }
}
