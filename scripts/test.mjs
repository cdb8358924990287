// `npm test`: the whole suite with that of every package, or the files whose path contains one of the
// arguments, against one PostgreSQL that it starts for the run. The last line says how many tests
// passed and failed; a file that crashes, hangs or runs no test is a failure. What stands in
// test/interop/ needs more than the suite does and runs only when an argument names that folder, as
// scripts/test-interop.mjs does.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Parser } from 'tap-parser'
import { tsImport } from 'tsx/esm/api'

const JOBS = 2
const FILE_TIMEOUT_SECONDS = 180
/** An image is built in there. */
const INTEROP_TIMEOUT_SECONDS = 600
const INTEROP = 'test/interop/'

// What tap says of a failure that is the same for every file, or stands in the file.
const DULL = new Set(['stdio', 'cwd', 'externalID', 'command', 'args', 'jobId', 'source'])

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tap = createRequire(import.meta.url).resolve('tap/package.json')
const tapBin = join(dirname(tap), 'dist/esm/run.mjs')
const filesByName = new Map()
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
  await buildTap(env)
  env.TEST_DATABASE_URL ??= await startServers()
  const status = await runTap(['run', ...tapOptions(files), ...files], env, (output) => {
    const parser = new Parser()
    parser.on('child', countFile)
    parser.on('assert', reportFile)
    parser.on('bailout', (reason) => fail('tap', `bailed out: ${reason}`))
    output.pipe(parser)
    return new Promise((resolve) => parser.on('complete', resolve))
  })
  if (status !== 0 && count.failed === 0) fail('tap', `ended with status ${status}`)
}

function tapOptions(files) {
  const isInterop = files.some((file) => file.startsWith(INTEROP))
  return [
    '--disable-coverage',
    '--reporter=tap',
    `--jobs=${JOBS}`,
    `--timeout=${isInterop ? INTEROP_TIMEOUT_SECONDS : FILE_TIMEOUT_SECONDS}`,
  ]
}

/** What the shell happens to hold for the service or for another tap must not reach the tests. */
function testEnvironment() {
  const foreign = /^(LINEAGE_|_?TAP|DATABASE_URL$|REDIS_URL$|PORT$|HOST$|LOG_LEVEL$|NODE_OPTIONS$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}

/** On a fresh node_modules tap still holds the plugin that .taprc removes, and its first run fails. */
async function buildTap(env) {
  const require = createRequire(createRequire(tap).resolve('@tapjs/core/package.json'))
  const built = join(dirname(require.resolve('@tapjs/test/package.json')), 'test-built')
  const source = readFileSync(join(built, 'dist/esm/index.js'), 'utf8')
  if (!source.includes('@tapjs/typescript')) return
  const status = await runTap(['build'], env, (output) => output.pipe(process.stderr))
  if (status !== 0) throw new Error(`tap build ended with status ${status}`)
}

/** Also installs Redis where it is missing, before two files do so at once. */
async function startServers() {
  const { findRedisServer } = await tsImport('../test/support/redis-binary.ts', import.meta.url)
  findRedisServer()
  const { startSharedPostgres } = await tsImport('../test/support/postgres.ts', import.meta.url)
  return (await startSharedPostgres()).url
}

async function runTap(args, env, read) {
  const child = spawn(process.execPath, [tapBin, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  await read(child.stdout)
  return ended
}

/** A test is what a file itself calls: its own subtests are parts of it. */
function countFile(parser) {
  const failures = []
  const tests = { passed: 0, failed: 0, skipped: 0 }
  parser.on('assert', (test) => {
    tests[test.skip || test.todo ? 'skipped' : test.ok ? 'passed' : 'failed'] += 1
  })
  collectFailures(parser, [], failures)
  filesByName.set(parser.name, { tests, failures })
}

function collectFailures(parser, path, failures) {
  let inner = 0
  parser.on('child', (child) => {
    const before = failures.length
    collectFailures(child, [...path, child.name], failures)
    child.on('complete', () => {
      inner = failures.length - before
    })
  })
  parser.on('assert', (result) => {
    // A test whose own assertion failed says nothing new.
    if (!result.ok && !result.skip && !result.todo && inner === 0) {
      failures.push({ name: [...path, result.name].join(' > '), diag: result.diag })
    }
    inner = 0
  })
}

function reportFile(result) {
  const nothing = { tests: { passed: 0, failed: 0, skipped: 0 }, failures: [] }
  const { tests, failures } = filesByName.get(result.name) ?? nothing
  const ranNothing = tests.passed + tests.failed + tests.skipped === 0
  const brokeDown = tests.failed === 0 && (ranNothing || !result.ok)
  const failed = brokeDown ? 1 : tests.failed
  const mark = failed === 0 ? 'ok  ' : 'FAIL'
  console.log(`${mark} ${result.name} (${tests.passed} passed, ${failed} failed)`)
  for (const { name, diag } of failures) show(`${result.name} > ${name}`, diag)
  if (brokeDown) show(result.name, result.ok ? 'this file runs no test' : result.diag)
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
