// Killed during the first start with nothing configured: the service alone, or with the PostgreSQL that it
// has made. The next start finishes what was begun.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DemoData } from '../../src/embedded/demo-data.ts'
import { findEmbeddedPostgres } from '../../src/embedded/postgres-server.ts'
import { openRootSecrets } from '../../src/secrets/root-secret.ts'
import { logIn } from '../support/app.ts'
import { makeDataDir } from '../support/embedded-data-dir.ts'
import {
  type LineageProcess,
  refresh,
  spawnLineage,
  startLineage,
} from '../support/lineage-process.ts'
import { signalTree } from '../support/process-tree.ts'
import { openScope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import type { Act, RunRound } from './act.ts'
import { queryOnce } from './crash-scene.ts'
import type { Damage } from './invariants.ts'
import { walkStores } from './walk.ts'

const embedded: Act = {
  what: 'the first start with nothing configured, which makes its PostgreSQL and the demo data',
  share: 2,
  async open() {
    const round: RunRound = async (fuseOf, random) => {
      const fuse = fuseOf('first start')
      // A directory of its own each round.
      const scope = openScope()
      try {
        const dir = makeDataDir(scope)
        const env = { LINEAGE_DATA_DIR: dir.path }
        const way = random.pick(['process', 'process tree'] as const)
        const dying = await spawnLineage(scope, env)
        fuse.light(() =>
          way === 'process' ? dying.signal('SIGKILL') : signalTree(dying.pid, 'SIGKILL'),
        )
        await Promise.race([untilStarted(dying), dying.exited])
        fuse.burnOut()
        await dying.exited
        // At once, as a supervisor of processes would: what was killed may still be ending.
        const service = await startLineage(scope, env)
        await untilStarted(service)
        const damages = [...(await checkDemo(service, dir.path)), ...(await walkEmbedded(dir.path))]
        service.signal('SIGTERM')
        await service.exited
        return { killed: way, damages }
      } finally {
        await scope.close()
      }
    }
    return round
  },
}

async function untilStarted(service: LineageProcess): Promise<void> {
  let hasExited = false
  void service.exited.then(() => {
    hasExited = true
  })
  await until('a start', () => hasExited || service.log('service.started').length > 0, 120_000)
}

/** That the user and the clients of demo.json are there and work. */
async function checkDemo(service: LineageProcess, dataDir: string): Promise<Damage[]> {
  const demo = JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as DemoData
  const details: string[] = []
  try {
    const { refresh_token: token } = await logIn(service, demo.publicClient, demo.user)
    const { status } = await refresh(service, demo.publicClient, token)
    if (status !== 200) details.push(`a refresh is answered ${status}`)
  } catch (error) {
    details.push(String(error))
  }
  for (const { id, secret } of [demo.confidentialClient, demo.adminClient]) {
    const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret }
    const { status } = await service.form('/token', form)
    if (status !== 200) details.push(`${id} is answered ${status}`)
  }
  return details.map((detail) => ({ invariant: 'starts_again', detail }))
}

async function walkEmbedded(dataDir: string): Promise<Damage[]> {
  const url = await findEmbeddedPostgres(dataDir)
  if (url === undefined) return [{ invariant: 'starts_again', detail: 'there is no database' }]
  const secret = readFileSync(join(dataDir, 'root-secret'), 'utf8').trim()
  return await walkStores({
    query: (sql, values) => queryOnce(url, sql, values),
    redisUrl: undefined,
    rootSecrets: openRootSecrets([Buffer.from(secret, 'base64url')]),
    algs: ['ES256'],
  })
}

export const EMBEDDED_ACTS = { embedded } as const satisfies Record<string, Act>
