// The grants that there are: one line each. The token endpoint, the metadata, what clients may list
// and what the command line offers all follow from this list.

import { OAuthError } from '../oauth/oauth-error.ts'
import { type Parameters, requireParameter } from '../oauth/parameters.ts'
import { clientCredentials } from './client-credentials.ts'
import type { Grant } from './grant.ts'
import { jwtBearer } from './jwt-bearer.ts'
import { mfaOtp } from './mfa-otp.ts'
import { password } from './password.ts'
import { refreshToken } from './refresh-token.ts'
import { tokenExchange } from './token-exchange.ts'

export const GRANTS: readonly Grant[] = [
  password,
  mfaOtp,
  refreshToken,
  clientCredentials,
  tokenExchange,
  jwtBearer,
]

/** Those that clients list; the others come with one of them. */
export const LISTED_GRANTS: readonly Grant[] = GRANTS.filter(
  ({ name, listedAs }) => name === listedAs,
)

/** Their names, in the same order. */
export const GRANT_TYPES: readonly string[] = LISTED_GRANTS.map(({ name }) => name)

const BY_NAME: ReadonlyMap<string, Grant> = new Map(GRANTS.map((grant) => [grant.name, grant]))
const NAMES = [...BY_NAME.keys()]
const CHOICE = `There are ${NAMES.slice(0, -1).join(', ')} and ${NAMES.at(-1)}.`

/** The grant that a form asks for; throws `invalid_request` or `unsupported_grant_type`. */
export function findGrant(form: Parameters): Grant {
  const grant = BY_NAME.get(requireParameter(form, 'grant_type'))
  if (!grant) throw new OAuthError('grant_type_unsupported', { choice: CHOICE })
  return grant
}
