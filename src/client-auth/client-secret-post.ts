// client_secret_post: id and secret as parameters of the form (RFC 6749 §2.3.1).

import type { AuthenticationMethod } from './authentication-method.ts'
import { checkClientSecret } from './check-client-secret.ts'
import { readClientId } from './none.ts'

export const clientSecretPost: AuthenticationMethod = {
  method: 'client_secret_post',
  proof: 'secret',
  parameter: 'client_secret',
  read: ({ form }) => ({ clientId: readClientId(form), proof: form.get('client_secret') ?? '' }),
  authenticate: checkClientSecret,
}
