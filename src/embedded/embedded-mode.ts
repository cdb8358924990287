// Embedded mode as a whole: what a server is configured with by hand, made here (INTERFACE §2).

import type { EmbeddedConfig, ServiceConfig } from '../config.ts'
import type { Service } from '../dependencies.ts'
import { openRootSecrets } from '../secrets/root-secret.ts'
import { holdDataDir } from './data-dir-lock.ts'
import { formatDemoCommands, openDemoData } from './demo-data.ts'
import { loadRootSecret } from './embedded-secrets.ts'
import { startEmbeddedPostgres } from './postgres-server.ts'

export interface EmbeddedMode {
  readonly config: ServiceConfig
  /** Resolves when the database has ended, asked to or not. */
  readonly databaseExited: Promise<unknown>
  /** Makes the demo user and clients at the first start; lines for the terminal. */
  welcome(service: Service): Promise<string>
  /** After the service: ends the database and lets go of the data directory. */
  stop(): Promise<void>
}

/** Throws StartError with one line. */
export async function openEmbeddedMode(config: EmbeddedConfig): Promise<EmbeddedMode> {
  const held = await holdDataDir(config.dataDir)
  try {
    const rootSecrets = openRootSecrets([await loadRootSecret(held.path)])
    const postgres = await startEmbeddedPostgres({ dataDir: held.path })
    const issuer = `http://localhost:${config.port}`
    return {
      config: { ...config, issuer, databaseUrl: postgres.url, redis: undefined, rootSecrets },
      databaseExited: postgres.exited,
      async welcome({ clientStore, clients, users, hasher }) {
        const demo = await openDemoData({ dataDir: held.path, issuer, clientStore, users, hasher })
        await clients.reload()
        return formatDemoCommands(demo)
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
