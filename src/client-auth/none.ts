// none: a public client names itself and proves nothing (RFC 6749 §3.2.1).

import { OAuthError } from '../oauth/oauth-error.ts'
import type { AuthenticationMethod } from './authentication-method.ts'

export const none: AuthenticationMethod = {
  method: 'none',
  proof: 'nothing',
  read({ form }) {
    const clientId = form.get('client_id')
    if (clientId === undefined) throw new OAuthError('client_absent')
    return { clientId, proof: '' }
  },
  authenticate: () => undefined,
}
