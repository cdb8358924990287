// federated_jwt: a platform vouches for the client. The same two parameters as private_key_jwt (RFC 7521
// §4.2), but the assertion is signed by a trusted issuer, about a subject that the client lists.

import type { Client } from '../clients/client.ts'
import { matchFederation } from '../clients/client-federation.ts'
import type { OAuthReason } from '../oauth/oauth-error.ts'
import { checkTrustedToken } from '../trust/check-trusted-token.ts'
import { useTrustedToken } from '../trust/use-trusted-token.ts'
import type {
  AuthenticationMethod,
  ClientAuthServices,
  ClientForm,
  ClientRequest,
  PresentedClient,
  Sender,
} from './authentication-method.ts'
import { ASSERTION, readClientAssertion } from './client-assertion.ts'
import { readClientId } from './none.ts'

const METHOD = 'federated_jwt'
/** What a client that is not there lists. */
const NOBODY: Pick<Client, 'federatedIdentities'> = { federatedIdentities: [] }

/** Behind private_key_jwt in the list, which takes what clients have signed themselves. */
export const federatedJwt: AuthenticationMethod = {
  method: METHOD,
  proof: 'key',
  parameter: ASSERTION,
  read,
  authenticate,
}

/** The platform does not know our ids, so the client names itself. */
function read({ form }: ClientForm): PresentedClient {
  const { text } = readClientAssertion(form)
  return { clientId: readClientId(form), proof: text }
}

async function authenticate(
  _proof: string,
  client: Client | undefined,
  { trust }: ClientAuthServices,
  { form }: ClientRequest,
  senderOf: () => Sender,
): Promise<OAuthReason | undefined> {
  const { token, problem } = await checkTrustedToken(readClientAssertion(form).jwt, trust)
  if (!token) return `client_assertion_${problem}`
  const { issuer, jwt, subject } = token
  const match = matchFederation(client ?? NOBODY, issuer.id, { ...jwt.claims, sub: subject })
  if (match !== 'matches') return `client_assertion_${match}`
  // One that proves nothing here is not used up.
  if (!client?.authMethods.includes(METHOD)) return 'client_method_not_allowed'
  const refusal = await useTrustedToken(token, { clientId: client.id, ...senderOf() }, trust)
  return refusal && `client_assertion_${refusal}`
}
