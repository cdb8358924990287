// Every parser of outside input that is fuzzed.

import type { FuzzTarget } from './fuzz-target.ts'
import { FORM_TARGETS } from './targets/forms.ts'
import { HEADER_TARGETS } from './targets/headers.ts'
import { TOKEN_TARGETS } from './targets/tokens.ts'

export const TARGETS: readonly FuzzTarget[] = [...FORM_TARGETS, ...HEADER_TARGETS, ...TOKEN_TARGETS]
