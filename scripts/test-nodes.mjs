// `npm run test:nodes`: the suite (or the files that the arguments name) on each Node that we promise
// beyond the machine's own. The binaries come from npm, into `.nodes/`, and stay for the next run.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSIONS = ['24', '26']
const SUMMARY = /^(\d+) passed, (\d+) failed$/

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const results = []

process.chdir(root)
for (const version of VERSIONS) {
  const path = `${fetchNode(version)}${delimiter}${process.env.PATH}`
  const env = { ...process.env, PATH: path }
  const found = spawnSync('node', ['--version'], { env, encoding: 'utf8' }).stdout.trim()
  if (!found.startsWith(`v${version}.`)) throw new Error(`wanted Node ${version}, got ${found}`)
  console.log(`\n== Node ${found}`)
  const { status, summary } = await runTests(env)
  results.push({ name: `Node ${found}`, summary, ok: status === 0 && SUMMARY.test(summary) })
}
console.log('')
console.log(results.map(({ name, summary }) => `${name}: ${summary}`).join('; '))
process.exit(results.every(({ ok }) => ok) ? 0 : 1)

/**
 * The directory of the binary. The npm package `node` fetches one of these packages in an install
 * script; we ask for it by name, because npm runs no install scripts here.
 */
function fetchNode(version) {
  const { platform, arch } = process
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  const name = `${prefix}-${platform}-${arch}`
  const home = join(root, '.nodes', version)
  mkdirSync(home, { recursive: true })
  // The `.npmrc` here does not count for another prefix.
  const safety = ['--ignore-scripts', '--min-release-age=7']
  const options = ['--prefix', home, '--no-save', '--no-audit', '--no-fund', ...safety]
  const { status } = spawnSync('npm', ['install', '--silent', ...options, `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`npm cannot fetch ${name}@${version}`)
  return join(home, 'node_modules', name, 'bin')
}

/** Runs `npm test`, which makes the generated code first, and keeps its last line. */
async function runTests(env) {
  const args = ['test', '--silent', '--', ...process.argv.slice(2)]
  const child = spawn('npm', args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let tail = ''
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk)
    tail = (tail + chunk).slice(-1000)
  })
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { status, summary: tail.trim().split('\n').at(-1) }
}
