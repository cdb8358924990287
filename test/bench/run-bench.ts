// `npm run bench` as a command, for tests of what it does.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface BenchRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Of what `npm test` tells its children: a server of PostgreSQL that is copied is there sooner than a new one. */
const KEPT = ['TEST_CLUSTER', 'TEST_DATABASE_URL', 'TEST_STORAGE_DIR']

/** Without what else `npm test` and tap tell their children. */
export function runBench(
  words: readonly string[],
  more: Readonly<Record<string, string>>,
): BenchRun {
  return runScript('bench', words, more)
}

/** As `runBench`, of another script of the benchmark. */
export function runScript(
  script: string,
  words: readonly string[],
  more: Readonly<Record<string, string>>,
): BenchRun {
  const foreign = /^(npm_|NODE_OPTIONS|_?TAP|TEST_|BENCH_)/
  const inherited = Object.entries(process.env).filter(
    ([name]) => KEPT.includes(name) || !foreign.test(name),
  )
  return spawnSync('npm', ['run', '--silent', script, '--', ...words], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), ...more },
    encoding: 'utf8',
  })
}
