// Does what clients cost depend on how many there are: a change that another instance made, a request
// of a known or an unknown one? And what do they cost a process: its start, its memory?

import { join } from 'node:path'
import { openClientSource } from '../../src/clients/client-source.ts'
import { type ClientTable, openClientTable } from '../../src/clients/client-table.ts'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { LIMITS } from '../../test/scenes/client-fixtures.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'
import { until } from '../../test/support/until.ts'
import { BENCH_ADMIN } from '../subjects/lineage.ts'
import { startMeasured } from '../support/measured-process.ts'
import { costOf, upTo } from './many.ts'
import { openPostgresCase, type PostgresCase } from './postgres-case.ts'
import type { ScaleMeasure, ScaleQuestion } from './scale-question.ts'

const SIZES = [10, 100_000]
const CHANGES = 20
const UNKNOWN = 100
const REQUESTS = 200_000
const MAIN = join(import.meta.dirname, '../../dist/main.js')
const START_TIMEOUT_MS = 120_000

interface ClientsCase {
  readonly postgres: PostgresCase
  readonly table: ClientTable
}

export const clients: ScaleQuestion = {
  name: 'clients',
  title: 'the cost of one client among so many, and of all of them to a process',
  async prepare(scope, scaled) {
    const sizes = SIZES.map((size) => Math.max(10, scaled(size)))
    const { url } = await startPostgres(scope)
    const cases: ClientsCase[] = []
    const facts: Record<string, number> = {}
    for (const size of sizes) {
      const one = await openCase(scope, url, size)
      cases.push(one)
      const { readyMs, rssBytes } = await startProcess(one.postgres)
      facts[`ms from spawn to ready, ${size.toLocaleString('en')} clients`] = readyMs
      facts[`MiB of a process, ${size.toLocaleString('en')} clients`] = rssBytes / 2 ** 20
    }
    return {
      cases: sizes.map((size) => `${size.toLocaleString('en')} clients`),
      measures: measuresOf(cases),
      facts,
    }
  },
}

/** Confidential ones with a secret and an audience of their own each. */
async function openCase(scope: Scope, serverUrl: string, count: number): Promise<ClientsCase> {
  const postgres = await openPostgresCase(scope, serverUrl)
  await postgres.run(
    `INSERT INTO clients (id, name, type, grant_types, scopes, default_scopes, audiences,
       auth_methods, sessions_valid_from)
     SELECT 'client-' || i, 'Client number ' || i, 'confidential',
       '{client_credentials,refresh_token}', '{orders:read,orders:write}', '{orders:read}',
       ARRAY['https://api.example/' || i], '{client_secret_basic,client_secret_post}', now()
     FROM generate_series(1, ${count}) AS i`,
  )
  await postgres.run(
    `INSERT INTO client_secrets (id, client_id, hash)
     SELECT gen_random_uuid(), id, sha256(id::bytea) FROM clients`,
  )
  await postgres.run('VACUUM ANALYZE')
  const source = openClientSource(postgres.database.pool, LIMITS)
  const table = openClientTable({ source, bootstrap: undefined, clock: () => performance.now() })
  await table.reload()
  return { postgres, table }
}

function measuresOf(cases: readonly ClientsCase[]): ScaleMeasure[] {
  let unknown = 0
  const change =
    ({ postgres, table }: ClientsCase) =>
    async () => {
      let ms = 0
      for (const i of upTo(CHANGES)) {
        await postgres.run(
          `UPDATE clients SET updated_at = now() WHERE id = 'client-${1 + (i % 10)}'`,
        )
        const from = performance.now()
        await table.reload()
        table.overview()
        ms += performance.now() - from
      }
      return ms / CHANGES
    }
  const ask = (table: ClientTable, idOf: (i: number) => string, times: number) => async () => {
    for (const i of upTo(times)) {
      await table.find(idOf(i))
      table.overview()
    }
  }
  const cpuMicros = () => {
    const { user, system } = process.cpuUsage()
    return user + system
  }
  return [
    { name: 'a change by another instance', unit: 'ms', cases: cases.map(change) },
    {
      name: 'a known client, with the facts of all',
      unit: 'own us',
      cases: cases.map(({ table }) => () => {
        return costOf(
          REQUESTS,
          cpuMicros,
          ask(table, (i) => `client-${1 + (i % 10)}`, REQUESTS),
        )
      }),
    },
    {
      name: 'an unknown client',
      unit: 'ms',
      cases: cases.map(({ table }) => () => {
        unknown += UNKNOWN
        const idOf = (i: number) => `unknown-${unknown + i}`
        return costOf(UNKNOWN, () => performance.now(), ask(table, idOf, UNKNOWN))
      }),
    },
  ]
}

/** An instance in production mode with its families in PostgreSQL, which is stopped again. */
async function startProcess({ url }: PostgresCase): Promise<{ readyMs: number; rssBytes: number }> {
  const port = await findFreePort()
  const from = performance.now()
  const instance = startMeasured(MAIN, {
    PORT: String(port),
    DATABASE_URL: url,
    LINEAGE_ISSUER: 'http://localhost:3000',
    LINEAGE_SECRET_KEY: Buffer.alloc(32, 1).toString('base64url'),
    LINEAGE_ADMIN_CLIENT_ID: BENCH_ADMIN.client_id,
    LINEAGE_ADMIN_CLIENT_SECRET: BENCH_ADMIN.client_secret,
  })
  try {
    const isReady = async () => {
      if (instance.child.exitCode !== null) throw new Error('Lineage did not start')
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      return answer?.status === 200
    }
    await until('Lineage', isReady, START_TIMEOUT_MS)
    const readyMs = performance.now() - from
    return { readyMs, rssBytes: (await instance.usage()).rssBytes }
  } finally {
    await instance.stop()
  }
}
