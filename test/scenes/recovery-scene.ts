// Backup and restore as docs/operations.md tells them, with nothing but the two servers: for tests.

import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { type LineageProcess, refresh } from '../support/lineage-process.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** What a refresh says: the next tokens, or the status and the code of the refusal. */
export async function answerOf(
  service: LineageProcess,
  client: { readonly id: string },
  token: string,
): Promise<{ said: string; next: string; access: string }> {
  const answer = await refresh(service, client, token)
  const body = (await answer.json()) as Record<string, string>
  const { error = '', refresh_token: next = '', access_token: access = '' } = body
  return { said: `${answer.status} ${error}`.trim(), next, access }
}

/** SIGTERM, and the wait for a clean end. */
export async function stopService(t: Test, service: LineageProcess): Promise<void> {
  service.signal('SIGTERM')
  t.equal((await service.exited).code, 0)
}

export async function query(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql, [...values])).rows
  } finally {
    await client.end()
  }
}

/** Another database with all that is in this one, on which nobody may be connected. */
export async function copyDatabase(t: Test, url: string): Promise<string> {
  const [source, copy] = [new URL(url), new URL(url)]
  copy.pathname = `/test_${randomBytes(8).toString('hex')}`
  const admin = new URL(url)
  admin.pathname = '/postgres'
  const [from, to] = [source.pathname.slice(1), copy.pathname.slice(1)]
  // A connection that its client has closed takes the server a moment.
  await until('a copy of the database', () =>
    query(admin.href, `CREATE DATABASE ${to} TEMPLATE ${from}`).then(
      () => true,
      (error: pg.DatabaseError) => {
        if (error.code !== '55006') throw error
        return false
      },
    ),
  )
  t.teardown(() => query(admin.href, `DROP DATABASE ${to} WITH (FORCE)`))
  return copy.href
}

export interface RedisBackup {
  /** A new server with what the backup holds. */
  restore(t: Test): Promise<RedisProcess>
}

/** The directory of the AOF, copied from under a running server while no rewrite can begin. */
export async function copyAof(t: Test, redis: RedisProcess): Promise<RedisBackup> {
  const dir = makeDir(t)
  await redis.cli('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0')
  await until('the end of a rewrite', async () =>
    /aof_rewrite_in_progress:0/.test(String(await redis.cli('INFO', 'persistence'))),
  )
  cpSync(join(await dataDirOf(redis), 'appendonlydir'), dir, { recursive: true })
  await redis.cli('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '100')
  return {
    async restore(t) {
      const restored = await startRedis(t)
      const target = join(await dataDirOf(restored), 'appendonlydir')
      await restored.stop()
      rmSync(target, { recursive: true, force: true })
      cpSync(dir, target, { recursive: true })
      await restored.start()
      return restored
    },
  }
}

/** A snapshot, which a server reads only when it starts without AOF; that is turned on after. */
export async function copySnapshot(t: Test, redis: RedisProcess): Promise<RedisBackup> {
  const dir = makeDir(t)
  await redis.cli('SAVE')
  cpSync(join(await dataDirOf(redis), 'dump.rdb'), join(dir, 'dump.rdb'))
  return {
    async restore(t) {
      const restored = await startRedis(t, { args: ['--appendonly', 'no'] })
      const target = await dataDirOf(restored)
      await restored.stop()
      cpSync(join(dir, 'dump.rdb'), join(target, 'dump.rdb'))
      await restored.start()
      await restored.cli('CONFIG', 'SET', 'appendonly', 'yes')
      return restored
    },
  }
}

async function dataDirOf(redis: RedisProcess): Promise<string> {
  const reply = await redis.cli('CONFIG', 'GET', 'dir')
  return String(Array.isArray(reply) ? reply[1] : undefined)
}

function makeDir(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-backup-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
