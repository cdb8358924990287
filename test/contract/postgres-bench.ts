// The bench of the PostgreSQL adapter: a migrated database of its own, reached through a proxy.

import type { Test } from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import { openPostgresFamilyStore } from '../../src/families/postgres/postgres-family-store.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { type FamilyBench, T0 } from './family-bench.ts'
import { openTcpProxy } from './tcp-proxy.ts'

const TABLES = ['families', 'family_users', 'revoked_tokens']

export async function openPostgresBench(t: Test): Promise<FamilyBench> {
  const { url } = await openTestDatabase(t)
  const { hostname, port } = new URL(url)
  const proxy = await openTcpProxy(t, { host: hostname, port: Number(port) })
  // Beside the proxy, so that a look into the tables never waits for it.
  const direct = openDatabase(url)
  await applyMigrations(direct.pool)
  let nowMs = T0
  const open = async (): Promise<FamilyStore> => {
    const proxied = new URL(url)
    proxied.host = `127.0.0.1:${proxy.port}`
    const database = openDatabase(proxied.href)
    const store = openPostgresFamilyStore(database, () => nowMs)
    t.teardown(async () => {
      await store.close()
      await database.close()
    })
    return store
  }
  const store = await open()
  t.teardown(() => direct.close())

  async function read(sql: string, values: unknown[] = []): Promise<string> {
    const { rows } = await direct.pool.query<{ text: string }>(sql, values)
    return rows.map((row) => row.text).join('\n')
  }
  return {
    store,
    another: open,
    async forgetUser(userId) {
      await direct.pool.query('DELETE FROM family_users WHERE user_id = $1', [userId])
    },
    async dump() {
      return (
        await Promise.all(TABLES.map((name) => read(`SELECT t::text AS text FROM ${name} t`)))
      ).join('\n')
    },
    async sizeOf({ familyId }) {
      const sql = 'SELECT pg_column_size(f)::text AS text FROM families f WHERE id = $1'
      return Number(await read(sql, [familyId]))
    },
    // The server is shared between test files, so only the connections go.
    async restart() {
      await proxy.cut()
      await proxy.heal()
    },
    cut: () => proxy.cut(),
    hang: () => proxy.hang(),
    heal: () => proxy.heal(),
    nowMs: () => nowMs,
    async reach(ms) {
      nowMs = Math.max(nowMs, ms)
    },
  }
}
