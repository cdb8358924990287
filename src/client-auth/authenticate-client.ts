// Client authentication (RFC 6749 §2.3, §3.2.1): from the parts of a request to the client that
// sent it. Whether the client may do what it asks for, the caller checks.

import type { Client } from '../clients/client.ts'
import { OAuthError, type OAuthReason } from '../oauth/oauth-error.ts'
import type {
  AuthenticationMethod,
  ClientAuthServices,
  ClientRequest,
} from './authentication-method.ts'
import { readClientCredentials } from './read-client-credentials.ts'

/**
 * A public client is only named, which proves nothing. Throws OAuthError 400 `invalid_request` for
 * two mechanisms or two client ids, else 401 `invalid_client`; every wrong proof costs the same.
 * Rejects with DependencyUnavailable while no client table has been loaded at all.
 */
export async function authenticateClient(
  request: ClientRequest,
  services: ClientAuthServices,
): Promise<Client> {
  const { method, clientId, proof } = readClientCredentials(request)
  const client = await services.clients.find(clientId)
  const answer = method.authenticate(proof, client, services)
  // Awaits only a promise: a method without I/O costs no turn of the event loop.
  const wrong = answer instanceof Promise ? await answer : answer
  if (!client) throw new OAuthError('client_unknown')
  const refusal = findMisuse(client, method) ?? wrong
  if (refusal) throw new OAuthError(refusal, { clientId: client.id })
  return client
}

function findMisuse(
  client: Client,
  { method, proof }: AuthenticationMethod,
): OAuthReason | undefined {
  if (client.authMethods.includes(method)) return undefined
  return proof === 'nothing' ? 'client_secret_missing' : 'client_method_not_allowed'
}
