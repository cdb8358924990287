// The whole checklist in its order: every row of it, seen from outside or not.

import type { Check } from './conformance-check.ts'
import { ACCESS_TOKEN_ROWS } from './rows/access-token-rows.ts'
import { ANSWER_ROWS } from './rows/answer-rows.ts'
import { ASSERTION_ROWS } from './rows/assertion-rows.ts'
import { CERTIFICATE_ROWS } from './rows/certificate-rows.ts'
import { CLIENT_AUTH_ROWS, FORGED_IDENTITY_ROWS } from './rows/client-auth-rows.ts'
import { CLIENT_CREDENTIALS_ROWS } from './rows/client-credentials-rows.ts'
import { DPOP_ROWS } from './rows/dpop-rows.ts'
import { ERROR_ROWS } from './rows/error-rows.ts'
import { INTROSPECTION_ROWS } from './rows/introspection-rows.ts'
import { METADATA_ROWS } from './rows/metadata-rows.ts'
import { PASSWORD_ROWS } from './rows/password-rows.ts'
import { RACE_ROWS } from './rows/race-rows.ts'
import { REFRESH_ROWS } from './rows/refresh-rows.ts'
import { RELATED_ROWS } from './rows/related-rows.ts'
import { REQUEST_ROWS } from './rows/request-rows.ts'
import { REVOCATION_ROWS } from './rows/revocation-rows.ts'
import { TOKEN_SAFETY_ROWS } from './rows/token-safety-rows.ts'

export const CHECKLIST: readonly Check[] = [
  ...REQUEST_ROWS,
  ...ANSWER_ROWS,
  ...ERROR_ROWS,
  ...CLIENT_AUTH_ROWS,
  ...ASSERTION_ROWS,
  ...CERTIFICATE_ROWS,
  ...FORGED_IDENTITY_ROWS,
  ...PASSWORD_ROWS,
  ...CLIENT_CREDENTIALS_ROWS,
  ...REFRESH_ROWS,
  ...RACE_ROWS,
  ...ACCESS_TOKEN_ROWS,
  ...TOKEN_SAFETY_ROWS,
  ...METADATA_ROWS,
  ...REVOCATION_ROWS,
  ...INTROSPECTION_ROWS,
  ...DPOP_ROWS,
  ...RELATED_ROWS,
]
