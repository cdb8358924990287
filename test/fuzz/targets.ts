// Every parser of outside input that is fuzzed. test/fuzz/every-parser.test.ts finds those that are not here.

import type { FuzzTarget } from './fuzz-target.ts'
import { ADDRESS_TARGETS } from './targets/addresses.ts'
import { CERTIFICATE_TARGETS } from './targets/certificates.ts'
import { DOCUMENT_TARGETS } from './targets/documents.ts'
import { FORM_TARGETS } from './targets/forms.ts'
import { HEADER_TARGETS } from './targets/headers.ts'
import { JWT_TARGETS } from './targets/jwts.ts'
import { PASSWORD_TARGETS } from './targets/passwords.ts'
import { PROOF_TARGETS } from './targets/proofs.ts'
import { QUERY_TARGETS } from './targets/queries.ts'
import { REQUEST_TARGETS } from './targets/requests.ts'
import { SETTING_TARGETS } from './targets/settings.ts'
import { SHORT_TEXT_TARGETS } from './targets/short-texts.ts'
import { TOKEN_TARGETS } from './targets/tokens.ts'
import { URL_TARGETS } from './targets/urls.ts'

export const TARGETS: readonly FuzzTarget[] = [
  ...FORM_TARGETS,
  ...HEADER_TARGETS,
  ...TOKEN_TARGETS,
  ...JWT_TARGETS,
  ...PROOF_TARGETS,
  ...CERTIFICATE_TARGETS,
  ...ADDRESS_TARGETS,
  ...PASSWORD_TARGETS,
  ...QUERY_TARGETS,
  ...REQUEST_TARGETS,
  ...URL_TARGETS,
  ...SETTING_TARGETS,
  ...DOCUMENT_TARGETS,
  ...SHORT_TEXT_TARGETS,
]
