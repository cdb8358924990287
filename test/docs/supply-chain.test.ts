// docs/supply-chain.md says what is pinned; here it is.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../support/repository-text.ts'

interface LockEntry {
  readonly integrity?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly allowScripts?: Readonly<Record<string, boolean>>
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as T
}

const MANIFEST = readJson<Manifest>('package.json')
const LOCKED = Object.entries(
  readJson<{ packages: Readonly<Record<string, LockEntry>> }>('package-lock.json').packages,
).filter(([path, { link }]) => path.includes('node_modules/') && !link)

test('every package has one version and a hash of its archive', async (t) => {
  const folders = ['.', 'packages/client', 'packages/conformance', 'packages/verify']
  for (const folder of folders) {
    const manifest = readJson<Manifest>(join(folder, 'package.json'))
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies }
    for (const [name, version] of Object.entries(all)) {
      if (!/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version)) t.fail(`${name} ${version} is a range`)
    }
  }
  const unhashed = LOCKED.filter(([, { integrity = '' }]) => !integrity.startsWith('sha512-'))
  t.strictSame(unhashed, [])
  t.ok(LOCKED.length > 500)
})

test('a package waits for seven days, and no script of one runs', async (t) => {
  const settings = readFileSync(join(ROOT, '.npmrc'), 'utf8').split('\n')
  t.ok(settings.includes('min-release-age=7') && settings.includes('save-exact=true'))
  const allowed = MANIFEST.allowScripts ?? {}
  t.strictSame(
    Object.entries(allowed).filter(([, isAllowed]) => isAllowed),
    [],
  )
  const scripted = LOCKED.filter(([, { hasInstallScript }]) => hasInstallScript)
  const names = scripted.map(([path]) => path.split('node_modules/').at(-1) ?? '')
  // fsevents is of macOS alone, and npm does not ask about it elsewhere.
  const unknown = names.filter((name) => allowed[name] === undefined && name !== 'fsevents')
  t.strictSame(unknown, [])
})
