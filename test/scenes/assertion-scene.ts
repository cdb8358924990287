// Clients that prove themselves by a key of their own, the assertions that they sign, and a place where
// keys are published.

import { type KeyObject, randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import type { Test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'
import { type HttpTools, ISSUER, type LogLine, type TestApp } from '../support/app.ts'

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface SigningKey {
  readonly alg: string
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: object
}

export function newKey(kid: string, alg = 'ES256'): SigningKey {
  const { privateKey, publicKey } = alg.startsWith('Ed')
    ? makeKeyPairSync('ed25519')
    : alg === 'ES256'
      ? makeKeyPairSync('ec', { namedCurve: 'P-256' })
      : makeKeyPairSync('rsa', { modulusLength: 2048 })
  return { alg, kid, privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }), kid } }
}

/** A client with these keys and no secret. */
export async function makeKeyClient(
  tools: Pick<HttpTools, 'makeClient'>,
  keys: readonly SigningKey[],
  input: Partial<ClientInput> = {},
): Promise<string> {
  const jwks = { keys: keys.map(({ publicJwk }) => publicJwk) }
  const { id, secret } = await tools.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    authMethods: ['private_key_jwt'],
    ...(input.jwksUri == null && { jwks }),
    ...input,
  })
  if (secret !== '') throw new Error('a secret was made for a client that uses none')
  return id
}

/** What a good assertion says, for a minute. */
export function claimsOf(clientId: string, more: object = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  const about = { iss: clientId, sub: clientId, aud: ISSUER, jti: randomUUID() }
  return { ...about, iat: now, exp: now + 60, ...more }
}

export async function signAssertion(
  { alg, kid, privateKey }: SigningKey,
  claims: Record<string, unknown>,
  header: object = {},
): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
}

/** Asks for a token with an assertion; `more` in place of or beside its parameters. */
export async function presentAssertion(
  tools: Pick<HttpTools, 'form'>,
  assertion: string | undefined,
  more: Record<string, string | undefined> = {},
): Promise<Response> {
  return await tools.form('/token', {
    grant_type: 'client_credentials',
    client_assertion_type: JWT_BEARER,
    client_assertion: assertion,
    ...more,
  })
}

/** The reason that the last refusal was logged with. */
export function lastReason(log: readonly LogLine[]): string | undefined {
  return log.findLast(({ event }) => event === 'request.refused')?.reason
}

export interface Publisher {
  readonly uri: string
  looks(): number
  publish(...keys: readonly SigningKey[]): void
  answerWith(answer: (response: ServerResponse) => void): void
}

/** Publishes no key at first. */
export async function startPublisher(t: Test): Promise<Publisher> {
  let looks = 0
  let answer = (response: ServerResponse): void => void response.end('{"keys":[]}')
  const server = createServer((_request, response) => {
    looks += 1
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    looks: () => looks,
    publish(...keys) {
      const jwks = JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) })
      answer = (response) => response.end(jwks)
    },
    answerWith(other) {
      answer = other
    },
  }
}

/** Fails the test unless the assertion gets a token. */
export async function expectToken(t: Test, answer: Response, what: string): Promise<void> {
  const body = (await answer.json()) as { access_token?: string }
  t.equal(answer.status, 200, `${what}: ${JSON.stringify(body)}`)
}

/** The one answer to every refused client, whatever the reason that is logged. */
export async function expectRefused(
  t: Test,
  app: Pick<TestApp, 'log'>,
  answer: Response,
  reason: string,
  what: string = reason,
): Promise<void> {
  t.equal(answer.status, 401, what)
  t.strictSame(
    await answer.json(),
    {
      error: 'invalid_client',
      error_description: 'Client authentication failed.',
    },
    what,
  )
  t.equal(lastReason(app.log), reason, what)
}
