// A data directory for the service in embedded mode, with whatever it leads to: as root the
// database lies elsewhere and would outlive the test.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

export interface EmbeddedDataDir {
  /** Not there yet: the service makes it. */
  readonly path: string
  /** The pids of PostgreSQL servers and their supervisors on its database. */
  databaseProcesses(): number[]
  /** The names of the lock files in it. */
  locks(): string[]
}

export function makeDataDir(t: Scope): EmbeddedDataDir {
  const parent = mkdtempSync(join(tmpdir(), 'lineage-data-'))
  const path = join(parent, 'data')
  const dir: EmbeddedDataDir = {
    path,
    databaseProcesses() {
      const { stdout } = spawnSync('pgrep', ['-f', '--', `-D ${databaseHome(path)}/postgresql`], {
        encoding: 'utf8',
      })
      return stdout.split('\n').filter(Boolean).map(Number)
    },
    locks: () => readdirSync(path).filter((name) => name.startsWith('lock.')),
  }
  t.teardown(async () => {
    await until('the end of the database', () => dir.databaseProcesses().length === 0)
    rmSync(databaseHome(path), { recursive: true, force: true })
    rmSync(parent, { recursive: true, force: true })
  })
  return dir
}

function databaseHome(path: string): string {
  const pointer = join(path, 'postgresql-location')
  return existsSync(pointer) ? readFileSync(pointer, 'utf8') : path
}
