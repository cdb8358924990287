// A linter of other people finds nothing in openapi.yaml; redocly.yaml says by which rules.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'

const ROOT = join(import.meta.dirname, '../..')

test('redocly has nothing to say', async (t) => {
  const args = ['node_modules/@redocly/cli/bin/cli.js', 'lint', 'openapi.yaml', '--format=json']
  const { NODE_OPTIONS, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    // It asks nobody for news and tells nobody that it ran.
    env: { ...env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  })
  t.equal(status, 0, stderr)
  t.match(JSON.parse(stdout), { totals: { errors: 0, warnings: 0, ignored: 0 } })
})
