// The releases that an upgrade is between, each as a folder with sources of its own, made of the history of
// this checkout: the one before this one, and a next one, which is this one with another number and one
// more migration.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/repository-text.ts'
import type { Scope } from '../support/scope.ts'

/** The last commit of the release before. */
const BEFORE = '5d64fd6'
const NEXT_VERSION = '0.2.0-next'
const NEXT_MIGRATION = '29990101000000_next'
/** Only expands, and takes a lock of every table that logins and refreshes use. */
const NEXT_SQL = ['users', 'clients', 'families', 'family_users', 'journal', 'signing_keys']
  .map((table) => `ALTER TABLE "${table}" ADD COLUMN "of_next" TEXT;`)
  .join('\n')

/** The sources of the release before, ready to run; undefined where there is no history of them. */
export function checkOutBefore(t: Scope): string | undefined {
  const found = spawnSync('git', ['cat-file', '-e', `${BEFORE}^{commit}`], { cwd: ROOT })
  if (found.status !== 0) return undefined
  const root = makeFolder(t)
  run(root, `git -C "$0" archive ${BEFORE} | tar x && npm run -s generate`, 'the release before')
  return root
}

/** The next release, built: `dist/main.js` is below the folder. */
export function buildNext(t: Scope): string {
  const root = makeFolder(t)
  run(root, 'git -C "$0" archive HEAD | tar x', 'the next release')
  const manifest = join(root, 'package.json')
  const described = JSON.parse(readFileSync(manifest, 'utf8')) as object
  writeFileSync(manifest, JSON.stringify({ ...described, version: NEXT_VERSION }, undefined, 2))
  const migration = join(root, 'prisma/migrations', NEXT_MIGRATION)
  mkdirSync(migration)
  writeFileSync(join(migration, 'migration.sql'), `${NEXT_SQL}\n`)
  run(root, 'npm run -s build', 'the next release')
  return root
}

/** Below this checkout, so that its packages are found. */
function makeFolder(t: Scope): string {
  mkdirSync(join(ROOT, '.tap'), { recursive: true })
  const root = mkdtempSync(join(ROOT, '.tap/release-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  return root
}

function run(root: string, script: string, what: string): void {
  const { NODE_OPTIONS: _, ...env } = process.env
  const made = spawnSync('bash', ['-euo', 'pipefail', '-c', script, ROOT], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`${what}: ${made.stdout}${made.stderr}`)
}
