// A Lineage that libraries can discover: it listens where its issuer says. In this process, over
// real HTTP, on a database of its own; with an API to issue tokens for and clients to ask for them.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import type { ServiceConfig } from '../../src/config/service-config.ts'
import { createLogger } from '../../src/ops/logger.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { openService, type Service } from '../../src/wiring/open-service.ts'
import { type HttpTools, type LogLine, openTools, testConfig } from '../support/app.ts'
import { openTestDatabase } from '../support/postgres.ts'

/** What the access tokens are for, and something else that they could be for. */
export const API = 'https://notes.example.test'
export const OTHER_API = 'https://other.example.test'
export const SCOPES = ['notes:read', 'notes:write']

export interface Scene extends HttpTools {
  readonly issuer: string
  /** Where it listens: the issuer, unless that was given. */
  readonly url: string
  readonly databaseUrl: string
  readonly signingAlgs: ServiceConfig['signingAlgs']
  readonly service: Service
  readonly log: readonly LogLine[]
}

export interface SceneOptions {
  readonly config?: Partial<ServiceConfig>
  /** Another name for it than the loopback address it listens on, for what stands in front. */
  readonly issuer?: string
  /** Another instance on the database of this one, with the same keys and no more of them. */
  readonly beside?: Pick<Scene, 'databaseUrl' | 'signingAlgs'>
  /** By default the clock of the libraries, which a test may step. */
  readonly clock?: Clock
}

export async function startScene(t: Test, options: SceneOptions = {}): Promise<Scene> {
  const databaseUrl = options.beside?.databaseUrl ?? (await openTestDatabase(t)).url
  const { port, release } = await holdPort()
  const url = `http://127.0.0.1:${port}`
  const issuer = options.issuer ?? url
  const log: LogLine[] = []
  const logger = createLogger('debug', {
    write: (line: string) => void log.push(JSON.parse(line) as LogLine),
  })
  const shared = options.beside && { signingAlgs: options.beside.signingAlgs }
  const config = { ...testConfig(databaseUrl), issuer, ...shared, ...options.config }
  const { clock = () => Date.now() } = options
  const service = await openService({ config, logger, clock })
  const app = await buildApp(service, logger)
  await release()
  await app.listen({ port, host: '127.0.0.1' })
  service.health.markStarted()
  t.teardown(async () => {
    app.server.closeAllConnections()
    await app.close()
    await service.close()
  })
  const { signingAlgs } = config
  return { issuer, url, databaseUrl, signingAlgs, service, log, ...openTools(url, service) }
}

/** The issuer is configured before the service listens, so the port is known, and kept, before. */
async function holdPort(): Promise<{ port: number; release: () => Promise<void> }> {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  return {
    port: (holder.address() as AddressInfo).port,
    async release() {
      holder.close()
      await once(holder, 'close')
    },
  }
}

/** A confidential client that may do everything, by this method alone when one is named. */
export function makeConfidentialClient(
  scene: HttpTools,
  input: Partial<ClientInput> = {},
): Promise<{ id: string; secret: string }> {
  return scene.makeClient({
    type: 'confidential',
    grantTypes: ['password', 'refresh_token', 'client_credentials'],
    scopes: SCOPES,
    defaultScopes: ['notes:read'],
    audiences: [API, OTHER_API],
    ...input,
  })
}

/** How often the JWKS has been fetched. */
export function countJwksRequests({ log }: Pick<Scene, 'log'>): number {
  const isFetch = ({ event, route }: LogLine) =>
    event === 'request.completed' && route === '/.well-known/jwks.json'
  return log.filter(isFetch).length
}
