// docs/gateways.md explains each reason that /verify logs, under the status that it has.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { API_ERRORS } from '../../src/http/server/api-error.ts'
import { VERIFY_REFUSALS } from '../../src/http/verify/verify-route.ts'

test('every reason of a refusal at /verify is explained, and no other', async (t) => {
  const page = readFileSync(new URL('../../docs/gateways.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm)]
  t.strictSame(
    Object.fromEntries(rows.map(([, reason, status]) => [reason, Number(status)])),
    Object.fromEntries(
      Object.entries(VERIFY_REFUSALS).map(([reason, code]) => [reason, API_ERRORS[code].status]),
    ),
  )
})
