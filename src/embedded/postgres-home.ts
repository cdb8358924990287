// Where the cluster of a data directory lies: inside it, or, when we are root, in a place of
// root's. PostgreSQL then runs as another account, which cannot enter what is private to root.

import { createHash } from 'node:crypto'
import { chmod, mkdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartError } from '../runtime/start-error.ts'
import { hasCluster } from './postgres-cluster.ts'
import { readIfThere, writePrivateFile } from './private-file.ts'

export const ROOT_PLACE = '/var/lib/lineage-embedded'

export interface PostgresHome {
  readonly path: string
  /** Where a copy of the programs may go. */
  readonly programsDir: string
  /** Notes in the data directory that its cluster is made. */
  claim(): Promise<void>
}

/** `rootPlace` is given when we are root. Throws StartError when the cluster cannot be used. */
export async function openPostgresHome(
  dataDir: string,
  rootPlace: string | undefined,
): Promise<PostgresHome> {
  if (rootPlace === undefined) {
    return { path: dataDir, programsDir: dataDir, claim: async () => {} }
  }
  if (hasCluster(dataDir)) {
    throw new StartError(`the database in ${dataDir} was not made as root: start as its owner`)
  }
  const place = await openRootPlace(rootPlace)
  const path = join(place, createHash('sha256').update(dataDir).digest('hex').slice(0, 16))
  const pointer = pointerOf(dataDir)
  const claimed = await readIfThere(pointer)
  if (claimed === undefined) {
    await setAside(path)
    await makeEnterable(path)
  } else if (claimed !== path) {
    throw new StartError(
      `${dataDir} was moved or copied; its database stays at ${claimed}: ` +
        'move the directory back, or delete it to start anew',
    )
  } else if (!hasCluster(path)) {
    throw new StartError(`the database of ${dataDir} is gone from ${path}: delete ${dataDir}`)
  }
  return { path, programsDir: place, claim: () => writePrivateFile(pointer, path) }
}

/** Where the cluster of a data directory lies, whoever made it; undefined while there is none. */
export async function findPostgresHome(dataDir: string): Promise<string | undefined> {
  const home = (await readIfThere(pointerOf(dataDir))) ?? dataDir
  return hasCluster(home) ? home : undefined
}

function pointerOf(dataDir: string): string {
  return join(dataDir, 'postgresql-location')
}

/** Puts aside the cluster of a data directory that was deleted; only the last such one is kept. */
async function setAside(path: string): Promise<void> {
  if (!hasCluster(path)) return
  const previous = `${path}.previous`
  await rm(previous, { recursive: true, force: true })
  await rename(path, previous)
}

/** Others may pass through it, whatever our umask is, but neither list it nor write to it. */
async function makeEnterable(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
  await chmod(path, 0o711)
}

/** Throws StartError when somebody else could put something in place of what root runs there. */
async function openRootPlace(rootPlace: string): Promise<string> {
  try {
    await makeEnterable(rootPlace)
  } catch (cause) {
    throw new StartError(`cannot make ${rootPlace}, where the database lies for root`, { cause })
  }
  const place = await realpath(rootPlace)
  for (let at = place; ; at = dirname(at)) {
    const { uid, mode } = await stat(at)
    const isSticky = (mode & 0o1000) !== 0
    if (uid !== 0 || ((mode & 0o022) !== 0 && !isSticky)) {
      throw new StartError(`${at} can be written to by others: the database of root needs ${place}`)
    }
    if (at === dirname(at)) return place
  }
}
