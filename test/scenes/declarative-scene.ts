// Files in a directory of their own, applied by the command to the database of a running service; and all
// that the tables hold of what files may be about.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type CommandResult, runHere } from '../support/command-line.ts'
import { type Environment, serverEnvironment } from '../support/lineage-process.ts'

export interface DeclarativeScene {
  readonly app: TestApp
  readonly env: Environment
  /** Writes a file and gives its path. */
  write(name: string, content: string | object): Promise<string>
  run(args: readonly string[], input?: string): Promise<CommandResult>
  /** Applies one text, by a file. */
  apply(content: string | object, args?: readonly string[]): Promise<CommandResult>
  /** Every row of every table that files may be about, with the versions of tables. */
  snapshot(): Promise<string>
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
}

export const CLIENT_SECRET = `a client secret ${randomBytes(24).toString('base64url')}`
export const WEBHOOK_SECRET = `whsec_${randomBytes(32).toString('base64')}`

const TABLES = {
  clients: 'id',
  client_secrets: 'id',
  trusted_issuers: 'id',
  users: 'id',
  webhooks: 'id',
  table_versions: 'name',
  journal: 'id',
}

/** With families in PostgreSQL, or in the Redis that is named. */
export async function openDeclarativeScene(t: Test, redisUrl?: string): Promise<DeclarativeScene> {
  const redis = redisUrl === undefined ? undefined : parseRedisUrl(redisUrl)
  const app = await startApp(t, { config: { redis } })
  const folder = await mkdtemp(join(tmpdir(), 'lineage-declared-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const env = {
    ...serverEnvironment(app.databaseUrl, redisUrl),
    A_CLIENT_SECRET: CLIENT_SECRET,
    A_WEBHOOK_SECRET: WEBHOOK_SECRET,
  }
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  t.teardown(() => client.end())

  async function write(name: string, content: string | object): Promise<string> {
    const path = join(folder, name)
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const run = (args: readonly string[], input?: string) => runHere(env, args, input)

  return {
    ...{ app, env, write, run },
    async apply(content, args = []) {
      const path = await write('resources.yaml', content)
      return await run(['apply', '-f', path, ...args])
    },
    async query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]) {
      return (await client.query<Row>(text, values)).rows
    },
    async snapshot() {
      const all: string[] = []
      for (const [table, order] of Object.entries(TABLES)) {
        const { rows } = await client.query(
          `SELECT row_to_json(x) FROM ${table} x ORDER BY ${order}`,
        )
        all.push(table, ...rows.map((row) => JSON.stringify(row)))
      }
      return all.join('\n')
    },
  }
}

/** A resource, where only the rest is of interest. */
export function resource(
  kind: string,
  name: string,
  spec: object,
  rest: { labels?: object; secretFrom?: object } = {},
) {
  const { labels, secretFrom } = rest
  return {
    apiVersion: 'lineage/v1',
    kind,
    metadata: { name, ...(labels && { labels }) },
    spec,
    ...(secretFrom && { secretFrom }),
  }
}

/** A client without a secret. */
export function publicClient(name: string, more: object = {}, labels?: object) {
  const spec = { name, type: 'public', grantTypes: ['password', 'refresh_token'], ...more }
  return resource('Client', name, spec, labels ? { labels } : {})
}
