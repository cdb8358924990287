// The PostgreSQL of embedded mode: its programs, its password and its cluster, which belongs to a
// data directory.

import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../runtime/start-error.ts'
import { loadSecret } from './embedded-secrets.ts'
import { openPostgresBinaries } from './postgres-binaries.ts'
import {
  createCluster,
  findRunningServer,
  hasCluster,
  type RunningPostgres,
  startCluster,
} from './postgres-cluster.ts'
import { findPostgresHome, openPostgresHome, ROOT_PLACE } from './postgres-home.ts'
import { findServerAccount } from './server-account.ts'

export interface EmbeddedPostgresOptions {
  /** The real path of a directory that the caller holds (holdDataDir). */
  readonly dataDir: string
  /** Where clusters and programs lie when we are root. */
  readonly rootPlace?: string
  /** The npm package with the programs; by default the one for this machine. */
  readonly packageDir?: string
}

/**
 * Starts the server of a data directory; the first start makes its cluster. It ends with this
 * process, however that ends, but not by the terminal's Ctrl-C. Throws StartError.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<RunningPostgres> {
  const { dataDir, rootPlace = ROOT_PLACE, packageDir } = options
  const account = await findServerAccount()
  const home = await openPostgresHome(dataDir, account && rootPlace)
  const binaries = await openPostgresBinaries(home.programsDir, account, packageDir)
  const isNew = !hasCluster(home.path)
  const password = await loadPassword(dataDir, isNew)
  const cluster = { binaries, home: home.path, account, password }
  if (isNew) {
    await createCluster(cluster)
    await home.claim()
  }
  return await startCluster(cluster)
}

/** The URL of the server that a service runs on a data directory right now, if one does. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const home = await findPostgresHome(dataDir)
  return home && findRunningServer({ home, password: await loadPassword(dataDir, false) })
}

async function loadPassword(dataDir: string, isNew: boolean): Promise<string> {
  const path = join(dataDir, 'postgresql-password')
  if (!isNew) {
    await access(path).catch(() => {
      throw new StartError(`${path} is missing: put it back, or delete ${dataDir} to start anew`)
    })
  }
  return loadSecret(path)
}
