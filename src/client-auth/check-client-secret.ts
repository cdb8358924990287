// The check that both methods with a client secret share: whether it is one of the client's.

import type { Client } from '../clients/client.ts'
import { matchesClientSecret } from '../clients/client-secret.ts'
import type { OAuthReason } from '../oauth/oauth-error.ts'

/** Undefined when it is. The same two comparisons for any secret and any client, known or not. */
export function checkClientSecret(
  secret: string,
  client: Client | undefined,
): OAuthReason | undefined {
  const hashes = client?.secrets.map(({ hash }) => hash) ?? []
  return matchesClientSecret(secret, hashes) ? undefined : 'client_secret_wrong'
}
