// Client authentication (RFC 6749 §2.3, §3.2.1): from the parts of a request to the client that
// sent it. Whether the client may do what it asks for, the caller checks.

import type { Client } from '../clients/client.ts'
import { OAuthError, type OAuthReason } from '../oauth/oauth-error.ts'
import type {
  AuthenticationMethod,
  ClientAuthServices,
  ClientRequest,
  Sender,
} from './authentication-method.ts'
import { AUTHENTICATION_METHODS } from './authentication-methods.ts'
import { none } from './none.ts'
import { readClientCredentials } from './read-client-credentials.ts'

/**
 * A public client is only named, which proves nothing. Throws OAuthError 400 `invalid_request` for
 * two mechanisms or two client ids, else 401 `invalid_client`; every wrong proof costs the same, and
 * after too many of them is answered `throttled`. `senderOf` tells where the request comes from.
 * Rejects with DependencyUnavailable while no client table has been loaded at all.
 */
export async function authenticateClient(
  request: ClientRequest,
  services: ClientAuthServices,
  senderOf: () => Sender,
): Promise<Client> {
  const { method: announced, clientId, proof } = readClientCredentials(request)
  const client = await services.clients.find(clientId)
  const method = client && announced === none ? (findByCertificate(client) ?? none) : announced
  const answer = method.authenticate(proof, client, services, request, senderOf)
  // Awaits only a promise: a method without I/O costs no turn of the event loop.
  const wrong = answer instanceof Promise ? await answer : answer
  const refusal = client ? (findMisuse(client, method) ?? wrong) : 'client_unknown'
  if (client && !refusal) return client
  // Only now: a right secret costs no round trip, and is not refused however many guess. By the method that
  // the request announces, so that an unknown client is answered as one with a certificate is, which nobody
  // can guess.
  if (announced.proof !== 'nothing') {
    await services.throttle.failed({ kind: 'client_secret', account: clientId, ...senderOf() })
  }
  throw new OAuthError(refusal ?? 'client_unknown', client && { clientId: client.id })
}

const BY_CERTIFICATE = AUTHENTICATION_METHODS.filter(({ byCertificate }) => byCertificate)

/** RFC 8705 §2: such a client sends its id alone. */
function findByCertificate({ authMethods }: Client): AuthenticationMethod | undefined {
  return BY_CERTIFICATE.find(({ method }) => authMethods.includes(method))
}

function findMisuse(
  client: Client,
  { method, proof }: AuthenticationMethod,
): OAuthReason | undefined {
  if (client.authMethods.includes(method)) return undefined
  return proof === 'nothing' ? 'client_secret_missing' : 'client_method_not_allowed'
}
