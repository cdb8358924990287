// How PostgreSQL finds clients: by an index, and in the same number of rows and blocks, however many
// there are and whether or not it has gathered statistics.

import { type Test, test } from 'tap'
import { openClientSource } from '../../src/clients/client-source.ts'
import { openClientTable } from '../../src/clients/client-table.ts'
import { LIMITS, NOW, storeOn } from '../scenes/client-fixtures.ts'
import { indexesOf, openPlannedDatabase, readingOf, scansOf } from '../support/query-plans.ts'

const FEW = 20
const MANY = 5_000
/** The log of changes never has more rows than these, so it may be read through. */
const LOG_MAX = 3_000
const LOG_INDEX = 'client_changes_pkey'

/** Clients `c-1` and on, with two secrets each, and a log of changes that is full. */
async function openClients(t: Test, count: number) {
  const planned = await openPlannedDatabase(t)
  await planned.prepare(`
    ALTER TABLE clients SET (autovacuum_enabled = off);
    ALTER TABLE client_secrets SET (autovacuum_enabled = off);
    ALTER TABLE client_changes SET (autovacuum_enabled = off);
    INSERT INTO clients (id, name, type, grant_types, auth_methods, sessions_valid_from, created_at)
      SELECT 'c-' || i, 'many', 'confidential', '{password}', '{client_secret_basic}', now(),
        now() + i * interval '1 s'
      FROM generate_series(1, ${count}) AS i;
    INSERT INTO client_secrets (id, client_id, hash)
      SELECT gen_random_uuid(), id, '' FROM clients, generate_series(1, 2);
    INSERT INTO client_changes SELECT i, 'c-1' FROM generate_series(1, 2000) AS i;
    UPDATE clients SET name = 'last' WHERE id = 'c-1'`)
  return planned
}

type Clients = Awaited<ReturnType<typeof openClients>>

/** Each prepares what is asked, and says what reads it. */
const QUESTIONS = {
  'a list, deep': {
    indexes: ['client_secrets_client_id_idx', 'clients_created_at_id_idx'],
    async ask({ database }: Clients) {
      const { rows } = await database.pool.query<{ id: string; at: Date }>(
        'SELECT id, created_at AS at FROM clients ORDER BY created_at DESC OFFSET 12 LIMIT 1',
      )
      return () => storeOn(database).list({ limit: 10, after: rows[0] })
    },
  },
  'one client': {
    indexes: ['client_secrets_client_id_idx', 'clients_pkey'],
    ask:
      async ({ database }: Clients) =>
      () =>
        storeOn(database).find('c-15'),
  },
  'a page of the first load': {
    indexes: ['client_secrets_client_id_idx', 'clients_pkey'],
    ask:
      async ({ database }: Clients) =>
      () =>
        openClientSource(database.pool, LIMITS).readAfter('c-15', 4),
  },
  'what another instance changed': {
    indexes: ['client_secrets_client_id_idx', 'clients_pkey'],
    async ask({ database }: Clients) {
      const source = openClientSource(database.pool, LIMITS)
      const table = openClientTable({ source, bootstrap: undefined, clock: () => NOW })
      await table.reload()
      await storeOn(database).endSessions('c-15')
      return () => table.reload()
    },
  },
}

test('20 clients or 5,000: by index, the same rows and blocks', { timeout: 120_000 }, async (t) => {
  const [few, many] = [await openClients(t, FEW), await openClients(t, MANY)]
  for (const statistics of ['without', 'with']) {
    if (statistics === 'with') await many.prepare('ANALYZE clients, client_secrets, client_changes')
    for (const [question, { indexes, ask }] of Object.entries(QUESTIONS)) {
      const what = `${question}, ${statistics} statistics`
      const plans = await many.plansOf(await ask(many))
      const used = indexesOf(plans).filter((index) => index !== LOG_INDEX)
      t.strictSame(used, indexes, what)
      for (const table of ['clients', 'client_secrets']) {
        t.strictSame(scansOf(plans, table), [], `${what}: ${table} is not read through`)
      }
      const [small, large] = [readingOf(await few.plansOf(await ask(few))), readingOf(plans)]
      t.ok(large.rows <= Math.max(small.rows, LOG_MAX), `${what}: ${large.rows} rows`)
      t.ok(large.blocks <= small.blocks + 24, `${what}: ${small.blocks}, ${large.blocks} blocks`)
    }
  }
})
