// How a tested client proves itself in a request, and which of them may log a user in.

import { NotApplicable } from './conformance-check.ts'
import type { Credentials, TestedClient } from './credentials.ts'
import type { Answer } from './http-exchange.ts'
import type { Parameters, TestedService } from './tested-service.ts'

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. */
export function basicCredentials(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`
}

/** Adds the client to a request: its header, or parameters of the form. */
export function addClient(
  { id, secret, authMethod }: TestedClient,
  form: URLSearchParams,
  headers: [string, string][],
): void {
  const isInForm = secret === undefined || authMethod === 'client_secret_post'
  if (!isInForm) headers.push(['Authorization', basicCredentials(id, secret)])
  else form.set('client_id', id)
  if (isInForm && secret !== undefined) form.set('client_secret', secret)
}

/** The clients as this service takes them: by the other secret method where it lists no Basic. */
export function chooseAuthMethods(credentials: Credentials, methods: unknown): Credentials {
  const isListed = (method: string) => Array.isArray(methods) && methods.includes(method)
  // RFC 8414 §2: a document without the list means Basic.
  if (isListed('client_secret_basic') || !isListed('client_secret_post')) return credentials
  const choose = <C extends TestedClient>(client: C): C => ({
    authMethod: 'client_secret_post',
    ...client,
  })
  const { confidentialClient, otherClient, specialClient, expiringClient } = credentials
  return {
    ...credentials,
    ...(confidentialClient && { confidentialClient: choose(confidentialClient) }),
    ...(otherClient && { otherClient: choose(otherClient) }),
    ...(specialClient && { specialClient: choose(specialClient) }),
    ...(expiringClient && { expiringClient: choose(expiringClient) }),
  }
}

/** One password request; whatever the answer is. Throws NotApplicable without a user. */
export async function requestLogin(
  service: TestedService,
  client: TestedClient,
  parameters: Parameters,
): Promise<Answer> {
  const { user, scope } = service.credentials
  if (!user) throw new NotApplicable('no user was given')
  return await service.post(
    'token',
    { grant_type: 'password', ...user, scope, ...parameters },
    client,
  )
}

/** The first client that may use the password grant. Throws NotApplicable when there is none. */
export async function findLoginClient(service: TestedService): Promise<TestedClient> {
  const { confidentialClient, publicClient, user } = service.credentials
  if (!user) throw new NotApplicable('no user was given')
  for (const client of [confidentialClient, publicClient]) {
    if (!client) continue
    const { status, json } = await requestLogin(service, client, {})
    if (status === 200 && typeof json.refresh_token === 'string') return client
  }
  throw new NotApplicable('no client that was given gets a refresh token by the password grant')
}

function formEncode(text: string): string {
  return new URLSearchParams({ a: text }).toString().slice(2)
}
