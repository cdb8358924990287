// The whole checklist in its order: every row of it, seen from outside or not.

import type { Check } from './conformance-check.ts'
import { ACCESS_TOKEN_ROWS } from './rows/access-token-rows.ts'
import { METADATA_ROWS } from './rows/metadata-rows.ts'
import { REQUEST_ROWS } from './rows/request-rows.ts'
import { REVOCATION_ROWS } from './rows/revocation-rows.ts'
import { TOKEN_SAFETY_ROWS } from './rows/token-safety-rows.ts'

export const CHECKLIST: readonly Check[] = [
  ...REQUEST_ROWS,
  ...ACCESS_TOKEN_ROWS,
  ...TOKEN_SAFETY_ROWS,
  ...METADATA_ROWS,
  ...REVOCATION_ROWS,
]
