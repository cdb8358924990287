// `npm run test:interop`: Lineage against what other people wrote: a real browser, containers,
// gateways, clients in other languages. Arguments choose among the files, as with scripts/test.mjs,
// which runs them and has the last word. What only some of the files need they install themselves.

import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tsImport } from 'tsx/esm/api'

/** Each with the Debian package of the same name. */
const PROGRAMS = ['chromium', 'openssl']

const missing = PROGRAMS.filter((name) => !findOnPath(name))
const { installDebianPackages } = await tsImport(
  '../test/support/debian-packages.ts',
  import.meta.url,
)
installDebianPackages(missing)
const stillMissing = PROGRAMS.filter((name) => !findOnPath(name))
if (stillMissing.length > 0) {
  console.log(`test:interop needs ${stillMissing.join(' and ')} on PATH: install what is missing`)
  console.log('0 passed, 1 failed')
  process.exit(1)
}
const runner = join(dirname(fileURLToPath(import.meta.url)), 'test.mjs')
const filters = process.argv.slice(2).map((filter) => `test/interop/${filter}`)
const files = filters.length > 0 ? filters : ['test/interop/']
const env = { ...process.env, TEST_CHROMIUM: findOnPath('chromium') }
const { status } = spawnSync(process.execPath, [runner, ...files], { stdio: 'inherit', env })
process.exit(status ?? 1)

function findOnPath(name) {
  const dirs = (process.env.PATH ?? '').split(delimiter)
  return dirs
    .map((dir) => join(dir, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
