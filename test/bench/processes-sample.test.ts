// `npm run bench:processes` as small as it can be: who shares a login that is kept loses it never, with
// and without a thief, and who rotates at each use without a grace does. Nothing here is old enough to be
// rotated, so that no pace of the machine decides.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { SharingResults } from '../../bench/processes/main.ts'
import { runScript } from './run-bench.ts'

const HONEST = { lostBefore: 0, lostAfter: 0, refused: 0, tokens: 1, ownerAfter: 'tokens' }
const KEPT_OUT = { thiefAtOnce: /^invalid_/, thiefLater: /^invalid_/ }
const LET_IN = { thiefAtOnce: 'tokens', thiefLater: 'tokens' }

test('processes share what is kept, and a thief of what is bound gets nothing', (t) => {
  const file = join(t.testdir({}), 'results.json')
  const env = {
    BENCH_PROCESSES: '4',
    BENCH_USES: '3',
    BENCH_ROTATE_AFTER: '3600',
    BENCH_RESULTS: file,
  }
  const { status, stdout, stderr } = runScript('bench:processes', [], env)
  t.equal(status, 0, `${stdout}${stderr}`)
  const results = JSON.parse(readFileSync(file, 'utf8')) as SharingResults
  const expected: [string, object][] = [
    ['`never`, public with DPoP', { ...HONEST, ...KEPT_OUT }],
    ['`never`, with a secret', { ...HONEST, ...KEPT_OUT }],
    ['rotated after 3600 s, public with DPoP', { ...HONEST, ...KEPT_OUT }],
    ['rotated after 3600 s, with a secret', { ...HONEST, ...KEPT_OUT }],
    ['rotated after 3600 s, public, nothing bound', { ...HONEST, ...LET_IN }],
  ]
  for (const [name, shared] of expected) {
    t.match(results[name], shared, name)
    t.ok((results[name]?.uses ?? 0) >= 4 * 4, `each process has used it: ${name}`)
  }
  for (const name of ['`always`, public, no grace', 'oidc-provider, public']) {
    t.match(
      results[name],
      { ownerAfter: 'invalid_grant' },
      `${name}: a thief at the latest ends it`,
    )
  }
  t.end()
})
