// Embedded mode as a whole: makes what is otherwise configured by hand (docs/semantics.md §19).

import { access, constants, realpath } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import type { EmbeddedConfig, ServiceConfig } from '../config/service-config.ts'
import { StartError } from '../runtime/start-error.ts'
import { openRootSecrets } from '../secrets/root-secret.ts'
import type { Service } from '../wiring/open-service.ts'
import { findHolder, holdDataDir } from './data-dir-lock.ts'
import { findStaleDemo, formatDemoCommands, openDemoData, readDemoData } from './demo-data.ts'
import { loadRootSecret } from './embedded-secrets.ts'
import { findPostgresHome } from './postgres-home.ts'
import { findEmbeddedPostgres, startEmbeddedPostgres } from './postgres-server.ts'

export interface EmbeddedMode {
  readonly config: ServiceConfig
  /** Resolves when the database has ended, whether we ended it or not. */
  readonly databaseExited: Promise<unknown>
  /** Makes the demo user and clients at the first start; lines for the terminal. */
  welcome(service: Service): Promise<string>
  /**
   * Ends the database and releases the data directory; to be called after the service has closed.
   */
  stop(): Promise<void>
}

/** Throws StartError with one line. */
export async function openEmbeddedMode(config: EmbeddedConfig): Promise<EmbeddedMode> {
  const held = await holdDataDir(config.dataDir)
  try {
    const rootSecrets = openRootSecrets([await loadRootSecret(held.path)])
    const postgres = await startEmbeddedPostgres({ dataDir: held.path })
    const issuer = issuerOf(config)
    return {
      config: { ...config, issuer, databaseUrl: postgres.url, redis: undefined, rootSecrets },
      databaseExited: postgres.exited,
      async welcome({ clientStore, clients, users, hasher }) {
        const demo = await openDemoData({ dataDir: held.path, issuer, clientStore, users, hasher })
        await clients.reload()
        return formatDemoCommands(demo, await findStaleDemo(demo, { clients, users, hasher }))
      },
      async stop() {
        await postgres.stop()
        await held.release()
      },
    }
  } catch (error) {
    await held.release()
    throw error
  }
}

/**
 * The same database for a command beside the service: the server that is running or, while no
 * service runs, one that `stop` ends. Never makes a data directory. Throws StartError.
 */
export async function joinEmbeddedMode(
  config: EmbeddedConfig,
): Promise<Pick<EmbeddedMode, 'config' | 'stop'>> {
  const { dataDir } = config
  const path = await realpath(dataDir).catch(() => undefined)
  if (path !== undefined && !(await isOurs(path))) {
    throw new StartError(`${dataDir} belongs to somebody else: do this as the service's account`)
  }
  if (path === undefined || !(await findPostgresHome(path))) {
    throw new StartError(
      `there is no database in ${dataDir}: start the service there once, or set DATABASE_URL, ` +
        'LINEAGE_SECRET_KEY and LINEAGE_ISSUER',
    )
  }
  // A server runs but nobody holds the directory: its service was killed, and it is about to end.
  const isHeld = (await findHolder(path)) !== undefined
  const databaseUrl = isHeld ? await findEmbeddedPostgres(path) : undefined
  if (databaseUrl === undefined) return await openEmbeddedMode(config)
  const rootSecrets = openRootSecrets([await loadRootSecret(path)])
  const issuer = (await readDemoData(path))?.issuer ?? issuerOf(config)
  return {
    config: { ...config, issuer, databaseUrl, redis: undefined, rootSecrets },
    async stop() {},
  }
}

/** `localhost` leads to 127.0.0.1 and ::1; of the other loopback addresses each is named itself. */
function issuerOf({ host, port }: EmbeddedConfig): string {
  const name = isIPv4(host) && host !== '127.0.0.1' ? host : 'localhost'
  return `http://${name}:${port}`
}

function isOurs(path: string): Promise<boolean> {
  return access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
}
