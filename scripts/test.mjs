// `npm test`: the whole suite with that of every package, or the files whose path contains one of the
// arguments, against one PostgreSQL that it starts for the run. The last line says how many tests
// passed and failed; a file that crashes, hangs or runs no test is a failure. What stands in
// test/interop/ needs more than the suite does and runs only when an argument names that folder, as
// scripts/test-interop.mjs does. With TEST_COVERAGE set it measures the line coverage of src, too, and
// fails below the floor.

import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { buildPackages } from './build-packages.mjs'
import { findStorageDir } from './storage-dir.mjs'
import { buildTests } from './test-build.mjs'
import { measureCoverage } from './test-coverage.mjs'
import { runFile } from './test-file.mjs'
import { planFiles } from './test-plan.mjs'

const JOBS = Number(process.env.TEST_JOBS ?? availableParallelism())
const FILE_TIMEOUT_SECONDS = 300
/** An image is built in there. */
const INTEROP_TIMEOUT_SECONDS = 600
const INTEROP = 'test/interop/'

// What tap says of a failure that is the same for every file, or stands in the file.
const DULL = new Set(['stdio', 'cwd', 'externalID', 'command', 'args', 'jobId', 'source'])

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const count = { passed: 0, failed: 0, skipped: 0 }
/** Said once more at the end, where nobody has to search for them. */
const failedNames = []

process.chdir(root)
try {
  await runSuite(selectFiles(process.argv.slice(2)))
} catch (error) {
  fail('the test runner', error instanceof Error ? error.stack : error)
}
if (count.passed + count.failed === 0) fail('the suite', 'no test ran')
if (failedNames.length > 0) console.log(`\nWhat failed:\n  ${failedNames.join('\n  ')}\n`)
if (count.skipped > 0) console.log(`${count.skipped} skipped`)
console.log(`${count.passed} passed, ${count.failed} failed`)
process.exit(count.failed === 0 ? 0 : 1)

function selectFiles(filters) {
  const folders = ['test', ...readdirSync('packages').map((name) => join('packages', name, 'test'))]
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((path) => join(folder, path)))
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .filter((path) => !path.startsWith(INTEROP) || filters.some((one) => one.startsWith(INTEROP)))
    .sort()
}

async function runSuite(files) {
  if (files.length === 0) return
  const env = testEnvironment()
  const built = await buildTests(root)
  // The examples import them.
  buildPackages(root)
  env.TEST_BUILD = built
  env.TEST_STORAGE_DIR ??= findStorageDir()
  if (!env.TEST_DATABASE_URL) Object.assign(env, await startServers(built, env.TEST_STORAGE_DIR))
  const isInterop = files.some((file) => file.startsWith(INTEROP))
  const timeoutSeconds = isInterop ? INTEROP_TIMEOUT_SECONDS : FILE_TIMEOUT_SECONDS
  const coverage = process.env.TEST_COVERAGE ? measureCoverage(built) : undefined
  const nodeArgs = ['--enable-source-maps', ...(coverage ? [`--import=${coverage.probe}`] : [])]
  // The tests start our processes in the same way.
  env.TEST_NODE_ARGS = nodeArgs.join(' ')
  const run = async (file) => {
    const script = join(built, file.replace(/\.ts$/, '.js'))
    reportFile(file, await runFile([...nodeArgs, script], { env, timeoutSeconds }))
  }
  const { queue, idle } = planFiles(files)
  const work = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) await run(file)
  }
  await Promise.all([...Array.from({ length: JOBS }, work), ...idle.map(run)])
  if (coverage && !coverage.report()) fail('line coverage', 'src is below its floor')
}

/** What the shell happens to hold for the service or for another tap must not reach the tests. */
function testEnvironment() {
  const foreign = /^(LINEAGE_|_?TAP|DATABASE_URL$|REDIS_URL$|PORT$|HOST$|LOG_LEVEL$|NODE_OPTIONS$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}

/** Also installs Redis where it is missing, before two files do so at once. */
async function startServers(built, storageDir) {
  process.env.TEST_STORAGE_DIR = storageDir
  const { findRedisServer } = await import(join(built, 'test/support/redis-binary.js'))
  findRedisServer()
  const { startSharedPostgres } = await import(join(built, 'test/support/postgres.js'))
  const { url, copy } = await startSharedPostgres()
  return { TEST_DATABASE_URL: url, TEST_CLUSTER: copy }
}

function reportFile(name, { tests, failures, ok, diag, ms }) {
  const ranNothing = tests.passed + tests.failed + tests.skipped === 0
  const brokeDown = tests.failed === 0 && (ranNothing || !ok)
  const failed = brokeDown ? 1 : tests.failed
  const mark = failed === 0 ? 'ok  ' : 'FAIL'
  const seconds = (ms / 1000).toFixed(1)
  console.log(`${mark} ${name} (${tests.passed} passed, ${failed} failed) ${seconds} s`)
  for (const failure of failures) show(`${name} > ${failure.name}`, failure.diag)
  if (brokeDown) show(name, ok ? 'this file runs no test' : diag)
  count.passed += tests.passed
  count.failed += failed
  count.skipped += tests.skipped
}

function fail(name, diag) {
  count.failed += 1
  show(name, diag)
}

/** Errors of other people's libraries can hold themselves. */
function toText(value) {
  try {
    return JSON.stringify(value)
  } catch {
    return inspect(value, { depth: 3 })
  }
}

function show(name, diag) {
  failedNames.push(name)
  console.log(`\nFAIL ${name}`)
  const entries = typeof diag === 'object' && diag !== null ? Object.entries(diag) : [['', diag]]
  for (const [key, value] of entries) {
    if (DULL.has(key)) continue
    const text = typeof value === 'string' ? value : toText(value)
    const block = text?.includes('\n') ? `\n${text.trimEnd().replace(/^/gm, '    ')}` : ` ${text}`
    console.log(`  ${key}${key && ':'}${block}`)
  }
  console.log('')
}
