// A staging instance with people on it, and its drills.

import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import type { DrillReport } from '../../../src/cli/drill/drill-plan.ts'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { query } from '../../scenes/recovery-scene.ts'
import { logIn } from '../../support/app.ts'
import { runHere } from '../../support/command-line.ts'
import {
  type Environment,
  type LineageProcess,
  serverEnvironment,
  startLineage,
} from '../../support/lineage-process.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { type RedisProcess, startRedis } from '../../support/redis.ts'

export interface DrillScene {
  readonly env: Environment
  readonly host: string
  readonly databaseUrl: string
  readonly redis: RedisProcess | undefined
  readonly service: LineageProcess
  readonly client: { readonly id: string }
  readonly user: { readonly username: string; readonly password: string }
}

/** With a Redis of its own, unless one is given. */
export async function openDrillScene(
  t: Test,
  store: 'redis' | 'postgresql',
  redisUrl?: string,
): Promise<DrillScene> {
  const isOwn = store === 'redis' && redisUrl === undefined
  const redis = isOwn ? await startRedis(t) : undefined
  const { url: databaseUrl } = await openTestDatabase(t)
  const port = String(await findFreePort())
  const host = `127.0.0.1:${port}`
  const env = {
    ...serverEnvironment(databaseUrl, redisUrl ?? redis?.url),
    PORT: port,
    LINEAGE_ISSUER: `http://${host}`,
    LINEAGE_ACCESS_TOKEN_TTL_SECONDS: '600',
  }
  const service = await startLineage(t, env)
  const client = await service.makeClient({ audiences: [env.LINEAGE_ISSUER] })
  const user = await service.makeUser()
  await logIn(service, client, user)
  return { env, host, databaseUrl, redis, service, client, user }
}

export async function drill(
  { env }: Pick<DrillScene, 'env'>,
  args: readonly string[],
): Promise<{ code: number | null; stderr: string; report: DrillReport }> {
  const { code, stdout, stderr } = await runHere(env, ['drill', ...args, '--json'])
  return { code, stderr, report: JSON.parse(stdout) as DrillReport }
}

/** What was seen, by its id, which the plan has too. */
export function seenOf({ observations }: DrillReport): Record<string, string> {
  return Object.fromEntries(observations.map(({ id, seen }) => [id, seen]))
}

/** What the plan says of those things that were seen. */
export function plannedOf({ expectations }: DrillReport, seen: object): Record<string, string> {
  return Object.fromEntries(
    expectations.filter(({ id }) => id in seen).map(({ id, verdict }) => [id, verdict]),
  )
}

/** Of every row of every table, and of every key of Redis. */
export async function digestStores({ databaseUrl, redis }: DrillScene): Promise<string> {
  const hash = createHash('sha256')
  const tables = await query(
    databaseUrl,
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  )
  for (const { name } of tables) {
    const rows = await query(
      databaseUrl,
      `SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) AS digest, '${name}' AS name
       FROM "${name}" AS t`,
    )
    hash.update(JSON.stringify(rows))
  }
  const keys = redis ? ((await redis.cli('KEYS', '*')) as string[]).toSorted() : []
  for (const key of keys) {
    hash.update(JSON.stringify([key, await redis?.cli('OBJECT', 'ENCODING', key)]))
    hash.update(String(await redis?.cli('DUMP', key)))
  }
  return hash.digest('hex')
}
