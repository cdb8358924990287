// The whole checklist in its order: every row of it, seen from outside or not.

import type { Check } from './conformance-check.ts'
import { REQUEST_ROWS } from './rows/request-rows.ts'

export const CHECKLIST: readonly Check[] = [...REQUEST_ROWS]
