// How a tested client proves itself in a request, and which of them may log a user in.

import { NotApplicable } from './conformance-check.ts'
import type { TestedClient } from './credentials.ts'
import type { Answer } from './http-exchange.ts'
import type { Parameters, TestedService } from './tested-service.ts'

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined. */
export function basicCredentials(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`
}

/** Adds the client to a request: a header for a confidential one, a parameter for a public one. */
export function addClient(
  { id, secret }: TestedClient,
  form: URLSearchParams,
  headers: [string, string][],
): void {
  if (secret === undefined) form.set('client_id', id)
  else headers.push(['Authorization', basicCredentials(id, secret)])
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
