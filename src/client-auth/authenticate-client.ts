// Client authentication (RFC 6749 §2.3, §3.2.1): from the parts of a request to the client that
// sent it. Whether the client may do what it asks is the caller's question.

import type { AuthMethod, Client } from '../clients/client.ts'
import { matchesClientSecret } from '../clients/client-secret.ts'
import type { ClientTable } from '../clients/client-table.ts'
import { OAuthError, type OAuthReason } from '../oauth/oauth-error.ts'
import {
  type ClientCredentials,
  type ClientRequestParts,
  parseClientCredentials,
} from './parse-client-credentials.ts'

export interface AuthenticatedClient {
  readonly client: Client
  /** `none` identifies a public client and proves nothing. */
  readonly method: AuthMethod
}

/**
 * Throws OAuthError 400 `invalid_request` for two mechanisms or two client ids, else 401
 * `invalid_client`; every wrong secret costs the same comparison. Rejects with DependencyUnavailable while
 * no client table has been loaded at all.
 */
export async function authenticateClient(
  parts: ClientRequestParts,
  clients: Pick<ClientTable, 'find'>,
): Promise<AuthenticatedClient> {
  const credentials = parseClientCredentials(parts)
  const client = await clients.find(credentials.clientId)
  const hashes = client?.secrets.map((secret) => secret.hash) ?? []
  // Without a secret there is nothing to compare, whoever the client is.
  const { clientSecret } = credentials
  const matches = clientSecret !== undefined && matchesClientSecret(clientSecret, hashes)
  if (!client) throw new OAuthError('client_unknown')
  const refusal = findRefusal(client, credentials, matches)
  if (refusal) throw new OAuthError(refusal, { clientId: client.id })
  return { client, method: credentials.method }
}

function findRefusal(
  client: Client,
  { method }: ClientCredentials,
  matches: boolean,
): OAuthReason | undefined {
  if (!client.authMethods.includes(method)) {
    return method === 'none' ? 'client_secret_missing' : 'client_method_not_allowed'
  }
  return method === 'none' || matches ? undefined : 'client_secret_wrong'
}
