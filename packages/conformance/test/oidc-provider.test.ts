// The whole suite against a foreign server. What it says is pinned here and in README.md,
// which has a sentence for each row that fails.

import { type Test, test } from 'tap'
import { type RowResult, runConformance } from '../src/run-checks.ts'
import { type Column, readColumn, renderColumn } from './conformance-document.ts'
import { startOidcProvider, type TokenFormat } from './oidc-provider-scene.ts'

/** What was seen, the same with both formats of access tokens. */
const FAILED: Readonly<Record<string, RegExp>> = {
  C8: /^the grant password of a client was answered with 400 invalid_request, not /,
  C9: /^a bad escape was answered with status 200, not 400$/,
  C11: /^the answer to client_credentials lacks Pragma: no-cache$/,
  C46: /^client_credentials of a public client was answered with 400 invalid_request, not /,
  C59: /^the successor that parallel refreshes made was answered with 400 invalid_grant, not 200$/,
  C60: /^the repetition of a refresh whose answer was lost was answered with 400 invalid_grant/,
  C74: /^the JWK Set has no max-age$/,
  C75: /^the JWK Set does not say how long it is good$/,
}

async function conform(t: Test, format: TokenFormat): Promise<readonly RowResult[]> {
  const { rows } = await runConformance(await startOidcProvider(t, format))
  const failed = rows.filter(({ status }) => status === 'FAIL')
  t.strictSame(
    failed.map(({ row }) => row),
    Object.keys(FAILED),
  )
  for (const { row, reason } of failed) t.match(reason, FAILED[row])
  return rows
}

const RUNS: readonly (readonly [TokenFormat, Column])[] = [
  ['jwt', 'oidc-provider, JWT'],
  ['opaque', 'oidc-provider, opaque'],
]

for (const [format, column] of RUNS) {
  test(`oidc-provider with access tokens of format ${format} is as documented`, async (t) => {
    t.strictSame(renderColumn(await conform(t, format)), readColumn(column))
  })
}
