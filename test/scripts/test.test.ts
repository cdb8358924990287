// Proves that `npm test` fails whenever a file fails, in whatever way. It runs the runner on a small
// project of its own, beside this one's packages.

import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'

const root = join(import.meta.dirname, '../..')

const GOOD = `import { test } from 'tap'
test('one', async (t) => { t.ok(true); t.ok(true) })
test('two', async (t) => { await t.test('inner', async (t) => t.ok(true)) })
`

interface Run {
  readonly status: number | null
  readonly lastLine: string
  readonly output: string
}

/** Runs the suite of a project that has just these test files, and these in a package. */
function runSuite(
  t: Test,
  files: Record<string, string | Record<string, string>>,
  args: string[] = [],
  packageFiles: Record<string, string> = {},
): Run {
  const project = t.testdir({
    test: files,
    packages: { beside: { test: packageFiles } },
    'package.json': '{"type":"module"}',
    node_modules: t.fixture('symlink', join(root, 'node_modules')),
  })
  cpSync(join(root, 'scripts'), join(project, 'scripts'), { recursive: true })
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(project, 'scripts/test.mjs'), ...args],
    // No server is needed here. What tap tells its children must not reach this one.
    { env: { PATH: process.env.PATH, CI: 'true', TEST_DATABASE_URL: 'none' }, encoding: 'utf8' },
  )
  const lastLine = stdout.trimEnd().split('\n').at(-1) ?? ''
  return { status, lastLine, output: stdout + stderr }
}

test('counts the tests of all files when all pass', async (t) => {
  const run = runSuite(t, { 'a.test.ts': GOOD, below: { 'b.test.ts': GOOD }, 'c.ts': 'fails()' })
  t.match(run, { status: 0, lastLine: /^4 passed, 0 failed$/ })
})

test('runs only the files that the arguments name', async (t) => {
  const run = runSuite(t, { 'a.test.ts': GOOD, 'b.test.ts': 'throw 1' }, ['a.test'])
  t.match(run, { status: 0, lastLine: /^2 passed, 0 failed$/ })
})

test('runs the tests of packages, too', async (t) => {
  const run = runSuite(t, { 'a.test.ts': GOOD }, [], { 'b.test.ts': GOOD })
  t.match(run, { status: 0, lastLine: /^4 passed, 0 failed$/ })
  const broken = runSuite(t, { 'a.test.ts': GOOD }, [], { 'b.test.ts': 'throw 1' })
  t.match(broken, { status: 1, lastLine: /^2 passed, 1 failed$/ })
})

test('runs test/interop only when an argument names it', async (t) => {
  const files = { 'a.test.ts': GOOD, interop: { 'b.test.ts': 'throw 1' } }
  t.match(runSuite(t, files), { status: 0, lastLine: /^2 passed, 0 failed$/ })
  t.match(runSuite(t, files, ['test.ts']), { status: 0, lastLine: /^2 passed, 0 failed$/ })
  t.match(runSuite(t, files, ['test/interop/']), { status: 1, lastLine: /^0 passed, 1 failed$/ })
})

test('fails with a failing test, and shows where and why', async (t) => {
  const failing = `import { test } from 'tap'
test('outer', async (t) => { await t.test('inner', async (t) => t.equal(1, 2, 'sums')) })`
  const run = runSuite(t, { 'a.test.ts': GOOD, 'b.test.ts': failing })
  t.match(run, { status: 1, lastLine: /^2 passed, 1 failed$/ })
  t.match(run.output, 'FAIL test/b.test.ts > outer > inner > sums')
  const end = /\nWhat failed:\n {2}test\/b\.test\.ts > outer > inner > sums\n\n2 passed, 1 failed\n/
  t.match(run.output, end, 'and once more at the end')
})

test('counts every file that does not come to its end, or runs no test, as a failure', async (t) => {
  const broken: Record<string, string> = {
    'crashes-while-loading': "import 'tap'; throw new Error('crash')",
    'exits-within-a-test': `${GOOD} test('three', async () => process.exit(0))`,
    'is-killed': `${GOOD} test('three', async () => process.kill(process.pid, 'SIGKILL'))`,
    'has-a-status-of-its-own': `${GOOD} process.on('exit', () => { process.exitCode = 3 })`,
    'holds-no-test': "import 'tap'",
    'loads-no-tap': 'export {}',
  }
  const files = Object.entries(broken).map(([name, source]) => [`${name}.test.ts`, source])
  const run = runSuite(t, { 'good.test.ts': GOOD, ...Object.fromEntries(files) })
  t.equal(run.status, 1)
  t.match(run.lastLine, /^\d+ passed, 6 failed$/)
  for (const name of Object.keys(broken)) {
    t.match(
      run.output,
      new RegExp(`^FAIL test/${name}\\.test\\.ts \\(\\d passed, 1 failed\\) [\\d.]+ s$`, 'm'),
    )
  }
})

test('fails when nothing ran', async (t) => {
  for (const run of [runSuite(t, {}), runSuite(t, { 'a.test.ts': GOOD }, ['no-such-file'])]) {
    t.match(run, { status: 1, lastLine: /^0 passed, 1 failed$/ })
  }
})
