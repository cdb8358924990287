// The service and the packages beside it share no code, and each imports only what its own
// package.json lists: in one node_modules everybody would find the dependencies of all others.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../support/repository-text.ts'

const IMPORT = /(?:\bfrom '([^']+)'$)|(?:^import |\bimport\(\s*|\btsImport\(\s*)'([^']+)'/gm

/** The whole product first, then what stands beside it. */
const PRODUCTS = ['', ...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`)]

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** What is shipped of a product: its sources, and its bin where it is not made of them. */
function listSources(product: string): string[] {
  return ['src', 'bin'].flatMap((folder) => {
    const path = join(ROOT, product, folder)
    if (folder === 'bin' && (product === '' || !existsSync(path))) return []
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.m?[tj]s$/.test(name) && !name.startsWith('generated'))
      .map((name) => join(path, name))
  })
}

/** `@scope/name` or `name`, whatever is imported of it. */
const packageOf = (specifier: string): string =>
  /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier

for (const product of PRODUCTS) {
  test(`${product || 'the service'} imports its own files and its own dependencies`, async (t) => {
    const home = join(ROOT, product)
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest
    const listed = { ...manifest.dependencies, ...manifest.optionalDependencies }
    const used = new Set<string>()
    for (const file of listSources(product)) {
      const name = relative(ROOT, file)
      for (const [, from, loaded] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
        const specifier = from ?? loaded ?? ''
        if (specifier.startsWith('.')) {
          const target = relative(home, join(dirname(file), specifier))
          if (!target.startsWith('src/')) t.fail(`${name} imports ${target}`)
        } else if (!isBuiltin(specifier)) {
          used.add(packageOf(specifier))
          if (!(packageOf(specifier) in listed)) t.fail(`${name} imports ${specifier}, not listed`)
        }
      }
    }
    t.ok(used.size > 0, 'the imports were found')
  })
}
