// none: a public client names itself and proves nothing (RFC 6749 §3.2.1).

import { OAuthError } from '../oauth/oauth-error.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { AuthenticationMethod } from './authentication-method.ts'

export const none: AuthenticationMethod = {
  method: 'none',
  proof: 'nothing',
  read: ({ form }) => ({ clientId: readClientId(form), proof: '' }),
  authenticate: () => undefined,
}

/** The id in the form; throws OAuthError `invalid_client` where there is none. */
export function readClientId(form: Parameters): string {
  const clientId = form.get('client_id')
  if (clientId === undefined) throw new OAuthError('client_absent')
  return clientId
}
