// Whether the client authentication methods that the metadata lists are the ones that work
// (RFC 8414 §2). An absent list gives undefined; the caller decides what that means.

import { expect } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import type { Answer } from './http-exchange.ts'
import { needsClientToken } from './issued-tokens.ts'
import { describeAnswer, type EndpointName, type TestedService } from './tested-service.ts'

const SECRET_METHODS = ['client_secret_basic', 'client_secret_post'] as const
const JWT_METHODS = ['private_key_jwt', 'client_secret_jwt']
const MUTUAL_TLS_METHODS = ['tls_client_auth', 'self_signed_tls_client_auth']

type Outcome = 'known' | 'refused' | 'unclear'

/** The listed methods; undefined without a list. Throws CheckFailure when it is none. */
export function readAuthMethods(
  { metadata }: TestedService,
  name: EndpointName,
): readonly string[] | undefined {
  const member = `${name}_endpoint_auth_methods_supported`
  const list = metadata[member]
  if (list === undefined) return undefined
  expect(Array.isArray(list) && list.length > 0, `${member} is no list, or an empty one`)
  expect(
    list.every((method) => typeof method === 'string'),
    `${member} lists what is no text`,
  )
  return list
}

/** Throws CheckFailure when a method works without being listed, or no listed one does. */
export async function expectListedMethods(
  service: TestedService,
  name: EndpointName,
  methods: readonly string[],
): Promise<void> {
  const { confidentialClient, publicClient } = service.credentials
  if (confidentialClient) await expectSecretMethods(service, name, methods, confidentialClient)
  if (publicClient) await expectNone(service, name, methods.includes('none'), publicClient)
}

/**
 * Throws CheckFailure when a JWT method is listed without algorithms, a TLS method without TLS, or
 * `none` as an algorithm.
 */
export function expectSigningAlgs(
  service: TestedService,
  name: EndpointName,
  methods: readonly string[],
): void {
  const { metadata } = service
  const member = `${name}_endpoint_auth_signing_alg_values_supported`
  const algs = metadata[member]
  const listed = Array.isArray(algs) ? algs : []
  expect(!listed.includes('none'), `${member} has none`)
  const jwtMethod = methods.find((method) => JWT_METHODS.includes(method))
  expect(jwtMethod === undefined || listed.length > 0, `${jwtMethod} is listed, but no ${member}`)
  const tlsMethod = methods.find((method) => MUTUAL_TLS_METHODS.includes(method))
  const hasTls =
    metadata.mtls_endpoint_aliases !== undefined || service.endpoint(name)?.startsWith('https:')
  expect(tlsMethod === undefined || hasTls, `${tlsMethod} is listed for an endpoint without TLS`)
}

async function expectSecretMethods(
  service: TestedService,
  name: EndpointName,
  methods: readonly string[],
  client: TestedClient,
): Promise<void> {
  const seen: Outcome[] = []
  for (const authMethod of SECRET_METHODS) {
    const answer = await probe(service, name, { ...client, authMethod })
    const outcome = outcomeOf(answer)
    const told = `${authMethod} at the ${name} endpoint was answered with ${describeAnswer(answer)}`
    expect(answer.status < 500, told)
    expect(outcome !== 'known' || methods.includes(authMethod), `${told}, though it is not listed`)
    if (methods.includes(authMethod)) seen.push(outcome)
  }
  // A client may be registered for one method only, so one is enough.
  expect(
    seen.length === 0 || seen.some((outcome) => outcome !== 'refused'),
    `no listed secret method works at the ${name} endpoint`,
  )
}

async function expectNone(
  service: TestedService,
  name: EndpointName,
  isListed: boolean,
  client: TestedClient,
): Promise<void> {
  const answer = await probe(service, name, client)
  const outcome = outcomeOf(answer)
  const told = `a public client at the ${name} endpoint was answered with ${describeAnswer(answer)}`
  if (!isListed) expect(outcome !== 'known', `${told}, though none is not listed`)
  // A known public client may still be forbidden to introspect (RFC 7662 §2.1), so a refusal there
  // shows nothing.
  else if (name !== 'introspection') {
    expect(outcome !== 'refused', `${told}, though none is listed`)
  }
}

/** A request that is answered well, or refused for its token, once the client is known. */
async function probe(
  service: TestedService,
  name: EndpointName,
  client: TestedClient,
): Promise<Answer> {
  if (name !== 'token') return await service.post(name, { token: 'unknown-token' }, client)
  return client.secret !== undefined && needsClientToken(service) === undefined
    ? await service.post('token', { grant_type: 'client_credentials' }, client)
    : await service.post(
        'token',
        { grant_type: 'refresh_token', refresh_token: 'unknown-token' },
        client,
      )
}

/**
 * Whether the client was known; `unclear` when the request was refused for something that may be
 * checked before the client.
 */
function outcomeOf({ status, json }: Answer): Outcome {
  if (status === 200 || (status === 400 && json.error === 'invalid_grant')) return 'known'
  return status === 401 || json.error === 'invalid_client' ? 'refused' : 'unclear'
}
