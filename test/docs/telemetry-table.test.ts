// docs/operations.md repeats the table of OpenTelemetry's variables, as the code reads them. Run this file
// with PRINT=1 to see the rows after a change: `PRINT=1 npx tsx test/docs/telemetry-table.test.ts`.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { TELEMETRY_ROWS, TELEMETRY_TABLE } from '../../src/config/telemetry-table.ts'

const rows = TELEMETRY_ROWS.map(([name, { default: fallback, meaning }]) => {
  const shown = fallback === undefined ? '' : `\`${fallback}\``
  return `| \`${name}\` | ${shown} | ${meaning} |`
})
if (process.env.PRINT) console.log(rows.join('\n'))

test('the table of variables is that of the code', async (t) => {
  const text = readFileSync('docs/operations.md', 'utf8')
  t.strictSame(
    text.split('\n').filter((line) => line.startsWith('| `OTEL_')),
    rows,
  )
})

test('every default is a value that its own parser takes', async (t) => {
  for (const [name, { default: fallback, parse }] of Object.entries(TELEMETRY_TABLE)) {
    if (fallback !== undefined) t.doesNotThrow(() => parse(fallback), name)
  }
})
