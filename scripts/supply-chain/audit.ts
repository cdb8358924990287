// `npm run audit`: the licences of all packages, then what the registry knows of their weaknesses and of
// their signatures. A registry that does not answer a question is said to, which is no failure: a mirror may
// have the packages and nothing else.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { listLicenses } from './licenses.ts'

const ROOT = join(import.meta.dirname, '../..')
const OUTPUT_MAX = 64 * 1024 * 1024
const LINES_SHOWN = 3

const isFine = [checkLicenses(), checkAdvisories(), checkSignatures()]
process.exit(isFine.every(Boolean) ? 0 : 1)

function checkLicenses(): boolean {
  const all = listLicenses(ROOT)
  for (const isShipped of [true, false]) {
    const counts = new Map<string, number>()
    for (const { license = 'none' } of all.filter((one) => one.isShipped === isShipped)) {
      counts.set(license, (counts.get(license) ?? 0) + 1)
    }
    const parts = [...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
    console.log(`licences, ${isShipped ? 'shipped' : 'at work'}: ${parts.join(', ')}`)
  }
  const refused = all.filter(({ isAllowed }) => !isAllowed)
  for (const { name, version, license = 'says none' } of refused) {
    console.log(`LICENCE NOT ALLOWED ${name}@${version}: ${license}`)
  }
  return refused.length === 0
}

interface Advisories {
  readonly message?: string
  readonly metadata?: { readonly dependencies: { readonly total: number } }
  readonly vulnerabilities: Readonly<Record<string, Weakness>>
}

interface Weakness {
  readonly name: string
  readonly range: string
  readonly severity: string
}

function checkAdvisories(): boolean {
  const report = runNpm<Advisories>('audit', '--json')
  if (!report?.metadata) return isUnanswered('advisories', report?.message)
  const weak = Object.values(report.vulnerabilities)
  for (const { name, range, severity } of weak) console.log(`WEAK ${name} ${range}: ${severity}`)
  console.log(`advisories: ${weak.length} of ${report.metadata.dependencies.total} packages`)
  return weak.length === 0
}

interface Signatures {
  readonly invalid: readonly { readonly name: string; readonly version: string }[]
  readonly missing: readonly unknown[]
}

function checkSignatures(): boolean {
  const report = runNpm<Partial<Signatures>>('audit', 'signatures', '--json')
  const { invalid, missing } = report ?? {}
  if (!invalid || !missing) return isUnanswered('signatures', undefined)
  for (const { name, version } of invalid) console.log(`SIGNATURE WRONG ${name}@${version}`)
  console.log(`signatures: ${invalid.length} wrong, ${missing.length} missing`)
  return invalid.length === 0
}

function isUnanswered(what: string, why = 'see above'): true {
  console.log(`${what}: not known, because the registry does not say (${why})`)
  return true
}

/** What it printed, where that is JSON; else its own last words are shown. */
function runNpm<T>(...args: string[]): T | undefined {
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: OUTPUT_MAX } as const
  const { stdout, stderr } = spawnSync('npm', args, options)
  try {
    return JSON.parse(stdout) as T
  } catch {
    for (const line of stderr.split('\n').slice(0, LINES_SHOWN)) console.log(`  ${line}`)
    return undefined
  }
}
