// `npm ci`, the first command of the README: nothing to read but that it is done, on every Node that
// package.json names. The whole suite runs on the others by `npm run test:nodes`.

import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'

const ROOT = join(import.meta.dirname, '../..')

test('npm ci warns of nothing: no wrong engine, no script that nobody has judged', async (t) => {
  const dir = t.testdir({})
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
    copyFileSync(join(ROOT, name), join(dir, name))
  }
  const { status, stderr, stdout } = spawnSync('npm', ['ci', '--dry-run'], {
    cwd: dir,
    env: withoutNpm(process.env),
    encoding: 'utf8',
  })
  t.equal(status, 0, stderr)
  t.notMatch(stderr + stdout, /^npm (warn|error)/m)
  t.match(stdout, /^added \d+ packages/m)
})

test('packages with scripts are named in package.json, so that npm asks for no decision', async (t) => {
  const { packages } = readJson('package-lock.json') as { packages: Record<string, Locked> }
  const { allowScripts } = readJson('package.json') as { allowScripts: Record<string, boolean> }
  const withScripts = Object.entries(packages).filter(([, locked]) => locked.hasInstallScript)
  const names = withScripts.map(([path]) => path.replace(/^.*node_modules\//, ''))
  t.strictSame(Object.keys(allowScripts).sort(), [...new Set(names)].sort())
  t.notOk(Object.values(allowScripts).includes(true), 'and none of them has to run')
})

test('a package that would report who installs it is told not to, for an npm that runs scripts', async (t) => {
  // npm 10 does not know `allowScripts`; @scarf/scarf reads this of the package at the root.
  const { scarfSettings } = readJson('package.json') as { scarfSettings?: { enabled: boolean } }
  t.strictSame(scarfSettings, { enabled: false })
})

interface Locked {
  readonly hasInstallScript?: boolean
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, name), 'utf8'))
}

/** What `npm test` tells its children would be settings of the npm below it. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(npm_|NODE_OPTIONS)/.test(name)),
  )
}
